use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A request as the Python package of OpenTelemetry writes it.
const SENT: &str = "0ac6010a170a150a0c736572766963652e6e616d6512050a0373766312aa010a050a036c696212a0010a1000010203040506\
     0708090a0b0c0d0e0f120801010101010101012a077072656469637430013901002a36fe9c9717410065f753fe9c97174a10\
     0a0169120b18fbffffffffffffffff014a0e0a0164120921000000000000e03f4a070a0162120210014a0b0a037261771204\
     3a0200ff4a0f0a046c69737412072a050a030a01785a0d090500000000000000120265767a07120362616418028501010100\
     00";

fn sent() -> Vec<u8> {
    let digits: Vec<u8> = SENT.bytes().collect();
    let pairs = digits
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap());
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

#[test]
fn protobuf_is_read_into_the_protocols_json() {
    let spans = spans(&sent(), Form::Protobuf).unwrap();
    assert_eq!(spans.len(), 1);
    assert_eq!(spans[0].trace, "000102030405060708090a0b0c0d0e0f");
    assert_eq!(spans[0].id, "0101010101010101");
    let text = |text: &str| json!({"stringValue": text});
    let expected = json!({
        "traceId": spans[0].trace, "spanId": spans[0].id, "name": "predict", "kind": 1,
        "startTimeUnixNano": "1700000000000000001", "endTimeUnixNano": "1700000000500000000",
        "attributes": [
            {"key": "i", "value": {"intValue": "-5"}},
            {"key": "d", "value": {"doubleValue": 0.5}},
            {"key": "b", "value": {"boolValue": true}},
            {"key": "raw", "value": {"bytesValue": "AP8="}},
            {"key": "list", "value": {"arrayValue": {"values": [text("x")]}}},
        ],
        "events": [{"timeUnixNano": "5", "name": "ev"}],
        "status": {"message": "bad", "code": 2}, "flags": 257,
        "resource": {"attributes": [{"key": "service.name", "value": text("svc")}]},
        "scope": {"name": "lib"},
    });
    assert_eq!(spans[0].data, expected);
}

#[test]
fn json_is_taken_as_it_is() {
    let span = json!({"traceId": "ab", "spanId": "cd", "name": "x"});
    let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).to_string();
    let spans = spans(body.as_bytes(), Form::Json).unwrap();
    assert_eq!((spans[0].trace.as_str(), &spans[0].data), ("ab", &span));
}

#[test]
fn packed_bodies_are_unpacked() {
    use std::io::Write as _;
    let level = flate2::Compression::fast();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), level);
    gzip.write_all(b"text").unwrap();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), level);
    zlib.write_all(b"text").unwrap();
    let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), level);
    raw.write_all(b"text").unwrap();
    for (encoding, body) in [
        ("gzip", gzip.finish().unwrap()),
        ("deflate", zlib.finish().unwrap()),
        ("Deflate", raw.finish().unwrap()),
        ("identity", b"text".to_vec()),
    ] {
        assert_eq!(
            unpacked(&body, Some(encoding)).unwrap(),
            b"text",
            "{encoding}"
        );
    }
    assert!(matches!(
        unpacked(b"x", Some("gzip")),
        Err(OtlpError::Packed { .. })
    ));
    assert!(matches!(
        unpacked(b"x", Some("br")),
        Err(OtlpError::Encoding { .. })
    ));
}

#[test]
fn what_is_no_request_is_refused() {
    let cut = &sent()[..60];
    assert!(matches!(
        spans(cut, Form::Protobuf),
        Err(OtlpError::Format { .. })
    ));
    assert_eq!(spans(b"", Form::Protobuf), Err(OtlpError::Empty));
    assert_eq!(spans(b"{}", Form::Json), Err(OtlpError::Empty));
    assert!(matches!(
        spans(b"{", Form::Json),
        Err(OtlpError::Format { .. })
    ));
    assert!(matches!(
        Form::of(Some("text/plain")),
        Err(OtlpError::ContentType { .. })
    ));
    // Values inside of values without an end: field 1 of a key value list, again and again.
    let mut nested = Vec::new();
    for _ in 0..300 {
        let mut outer = vec![0x2a];
        outer.extend(length(nested.len() + 1 + length(nested.len()).len()));
        outer.push(0x0a);
        outer.extend(length(nested.len()));
        outer.extend(&nested);
        nested = outer;
    }
    let mut body = nested;
    for field in [0x12_u8, 0x4a, 0x12, 0x12, 0x0a] {
        let mut outer = vec![field];
        outer.extend(length(body.len()));
        outer.extend(&body);
        body = outer;
    }
    let refused = spans(&body, Form::Protobuf).unwrap_err().to_string();
    assert!(refused.contains("too deep"), "{refused}");
}

fn length(mut bytes: usize) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let low = (bytes & 0x7f) as u8;
        bytes >>= 7;
        if bytes == 0 {
            out.push(low);
            return out;
        }
        out.push(low | 0x80);
    }
}

proptest! {
    #[test]
    fn no_body_is_fatal(body: Vec<u8>, at in 0_usize..300, byte: u8) {
        spans(&body, Form::Protobuf).ok();
        spans(&body, Form::Json).ok();
        unpacked(&body, Some("gzip")).ok();
        let mut changed = sent();
        let at = at % changed.len();
        changed[at] = byte;
        spans(&changed, Form::Protobuf).ok();
    }
}
