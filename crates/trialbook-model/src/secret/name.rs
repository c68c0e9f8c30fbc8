//! Which names say that their value is a secret.
//!
//! Two rules. The names of environment variables, and all names without a small letter, follow S-58 to
//! the letter: they contain KEY, SECRET, TOKEN and so on. Other names (keys of configs, options, headers,
//! query parameters) are read word by word, for the letter of S-58 would drop `author`, `max_tokens` and
//! `primary_key`, without which a config is no config.
//! Invariant: every name that S-58's examples mean as a secret (`api_key`, `authToken`, `db-password`,
//! `private_key`) is one under both rules.

/// S-58's list.
const PARTS: [&str; 9] = [
    "KEY",
    "SECRET",
    "TOKEN",
    "PASSWORD",
    "PASS",
    "PWD",
    "AUTH",
    "CREDENTIAL",
    "PRIVATE",
];

/// Words that make a name secret wherever they stand.
const STRONG: [&str; 17] = [
    "secret",
    "secrets",
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "pwd",
    "credential",
    "credentials",
    "private",
    "auth",
    "authorization",
    "bearer",
    "apikey",
    "cookie",
    "signature",
    "sig",
];

/// Words that make a name secret where they stand last.
const LAST: [&str; 8] = [
    "key",
    "keys",
    "token",
    "pass",
    "pat",
    "authtoken",
    "accesskey",
    "privatekey",
];

/// Words before a last one that make it harmless.
const HARMLESS_BEFORE: [&str; 56] = [
    "attention",
    "backward",
    "begin",
    "bos",
    "cache",
    "class",
    "cls",
    "dict",
    "end",
    "eos",
    "first",
    "foreign",
    "forward",
    "group",
    "hash",
    "hot",
    "image",
    "index",
    "input",
    "item",
    "join",
    "label",
    "lookup",
    "map",
    "mask",
    "max",
    "metric",
    "min",
    "multi",
    "n",
    "natural",
    "next",
    "num",
    "object",
    "one",
    "order",
    "output",
    "pad",
    "param",
    "partition",
    "per",
    "primary",
    "public",
    "query",
    "routing",
    "row",
    "run",
    "second",
    "sep",
    "series",
    "single",
    "sort",
    "special",
    "start",
    "stop",
    "total",
];

/// Words after which a name speaks about a secret, but does not hold one.
const HARMLESS_LAST: [&str; 17] = [
    "count", "dir", "enabled", "expiry", "file", "header", "id", "kind", "length", "method",
    "mode", "name", "path", "policy", "provider", "ttl", "type",
];

/// S-58 to the letter: whether the name in upper case contains one of its words.
pub fn is_secret_variable(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    // A personal access token; `PATH` is none.
    upper.ends_with("_PAT") || PARTS.iter().any(|part| upper.contains(part))
}

/// Whether a name of a config, an option, a header or a query parameter is one of a secret.
pub fn is_secret_name(name: &str) -> bool {
    let shouted = name.bytes().any(|c| c.is_ascii_uppercase())
        && !name.bytes().any(|c| c.is_ascii_lowercase());
    if shouted {
        return is_secret_variable(name);
    }
    let words = words(name);
    let Some((last, before)) = words.split_last() else {
        return false;
    };
    if HARMLESS_LAST.contains(&last.as_str()) {
        return false;
    }
    if words.iter().any(|word| STRONG.contains(&word.as_str())) {
        return true;
    }
    // `key` alone is the key of a map, `pat` a word; `token` and `pass` alone are secrets.
    let alone = before.is_empty() && (last.starts_with("key") || last == "pat");
    let harmless = before
        .last()
        .is_some_and(|word| HARMLESS_BEFORE.contains(&word.as_str()));
    LAST.contains(&last.as_str()) && !alone && !harmless
}

/// The words of `api_key`, `api-key`, `apiKey`, `APIKey`, in lower case.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let next_is_small = letters.get(at + 1).is_some_and(char::is_ascii_lowercase);
        let after_small = at > 0 && letters[at - 1].is_ascii_lowercase();
        let begins = letter.is_ascii_uppercase() && (after_small || next_is_small);
        if (begins || !letter.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_follow_the_requirement_to_the_letter() {
        for name in [
            "OPENAI_API_KEY",
            "my_secret",
            "GH_TOKEN",
            "PGPASSWORD",
            "PWD",
            "GITHUB_PAT",
            "MONKEY",
            "XAUTHORITY",
        ] {
            assert!(is_secret_variable(name), "{name}");
        }
        for name in [
            "HOME",
            "PATH",
            "PY_PATH",
            "PATTERN",
            "LANG",
            "CUDA_VISIBLE_DEVICES",
            "",
        ] {
            assert!(!is_secret_variable(name), "{name}");
        }
    }

    #[test]
    fn other_names_are_read_word_by_word() {
        for name in [
            "api_key",
            "apiKey",
            "APIKey",
            "x-api-key",
            "token",
            "hf_token",
            "authToken",
            "db.password",
            "password",
            "client_secret",
            "credentials",
            "private_key",
            "Authorization",
            "OPENAI_KEYS",
            "access_keys",
            "pass",
            "X-Amz-Signature",
            "sig",
            "AccountKey",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "author",
            "max_tokens",
            "tokenizer",
            "key",
            "keys",
            "primary_key",
            "pad_token",
            "compass",
            "monkey",
            "keyboard",
            "bypass",
            "password_file",
            "secretName",
            "num_key_value_heads",
            "",
            "--",
            "single_pass",
            "passes",
            "tokens_per_task",
            "authors",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
