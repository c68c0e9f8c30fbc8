use super::*;

fn access(rules: AccessRules) -> (tempfile::TempDir, Access) {
    let folder = tempfile::tempdir().unwrap();
    let tokens = Tokens::of(folder.path());
    (folder, Access::new(rules, tokens))
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap()))
        .collect()
}

fn status(access: &Access, method: &Method, pairs: &[(&'static str, &str)]) -> u16 {
    let from = Some(IpAddr::from([10, 0, 0, 1]));
    let admitted = access.admit((method, &headers(pairs)), None, from, Timestamp(5));
    admitted.map_or_else(|(status, _)| status.as_u16(), |_| 200)
}

#[test]
fn names_that_others_could_point_here_have_to_be_known() {
    let rules = AccessRules {
        allowed_hosts: vec!["lab.example".to_owned()],
        ..AccessRules::default()
    };
    let (_folder, access) = access(rules);
    for host in [
        "localhost:5000",
        "127.0.0.1",
        "[::1]:5000",
        "10.0.0.7:80",
        "LAB.example:443",
    ] {
        assert_eq!(
            status(&access, &Method::GET, &[("host", host)]),
            200,
            "{host}"
        );
    }
    for host in [
        "evil.example",
        "localhost.evil.example:5000",
        "127.0.0.1.evil.example",
    ] {
        assert_eq!(
            status(&access, &Method::GET, &[("host", host)]),
            403,
            "{host}"
        );
    }
    let refused = access.check_host(Some("a.example:1")).unwrap_err().1;
    assert!(refused.hint.unwrap().contains("--allowed-hosts a.example"));
}

#[test]
fn only_pages_of_this_server_change_something() {
    let (_folder, access) = access(AccessRules::default());
    let host = ("host", "localhost:5000");
    let ours = ("origin", "http://localhost:5000");
    let post = |pairs: &[(&'static str, &str)]| status(&access, &Method::POST, pairs);
    assert_eq!(post(&[host]), 200, "no browser");
    assert_eq!(post(&[host, ours, (PAGE_HEADER, "1")]), 200);
    assert_eq!(post(&[host, ours]), 403);
    for origin in ["http://evil.example", "null", "http://localhost:5001"] {
        assert_eq!(
            post(&[host, ("origin", origin), (PAGE_HEADER, "1")]),
            403,
            "{origin}"
        );
    }
    assert_eq!(
        post(&[host, ("sec-fetch-site", "cross-site"), (PAGE_HEADER, "1")]),
        403
    );
    assert_eq!(
        status(
            &access,
            &Method::GET,
            &[host, ("origin", "http://evil.example")]
        ),
        200
    );
}

#[test]
fn tokens_open_by_bearer_and_basic_and_failures_have_to_wait() {
    let (_folder, access) = access(AccessRules {
        tokens_demanded: true,
        ..AccessRules::default()
    });
    let made = access
        .tokens
        .create("ci", Scope::Read, (Timestamp(1), None));
    let (_, token) = made.unwrap();
    let bearer = format!("Bearer {token}");
    let basic = format!("Basic {}", base64::encode(format!("me:{token}").as_bytes()));
    for given in [&bearer, &basic] {
        let headers = headers(&[("authorization", given)]);
        let admitted = access.admit((&Method::GET, &headers), None, None, Timestamp(5));
        let actor = admitted.unwrap();
        assert_eq!((actor.name.as_str(), actor.scope), ("ci", Scope::Read));
    }
    assert_eq!(status(&access, &Method::GET, &[]), 401);
    let tries =
        (0..12).map(|_| status(&access, &Method::GET, &[("authorization", "Bearer tb_0_0")]));
    let tries: Vec<u16> = tries.collect();
    assert_eq!(tries.iter().filter(|status| **status == 401).count(), 10);
    assert_eq!(tries.last(), Some(&429));
}

#[test]
fn a_key_has_to_be_one() {
    let (_folder, access) = access(AccessRules::default());
    let headers = headers(&[(KEY_HEADER, "abc")]);
    let admitted = access.admit((&Method::POST, &headers), None, None, Timestamp(5));
    assert_eq!(admitted.unwrap().key.as_deref(), Some("abc"));
    let long = "k".repeat(LONGEST_KEY + 1);
    assert_eq!(status(&access, &Method::POST, &[(KEY_HEADER, &long)]), 400);
}
