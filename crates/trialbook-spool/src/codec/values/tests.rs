use proptest::prelude::*;

use super::*;

/// Encodes and decodes, and returns the blob for further tests.
fn check(values: &[f64]) -> Vec<u8> {
    let blob = encode_values(values).unwrap();
    let mut back = vec![7.0];
    let count = decode_values(&blob, &mut Scratch::default(), &mut back).unwrap();
    assert_eq!(count, values.len());
    assert_eq!(back[0], 7.0, "what stood there before is kept");
    let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&back[1..]), bits(values));
    blob
}

/// Values of the shapes that training loops log, and any bits.
fn any_values(most: usize) -> impl Strategy<Value = Vec<f64>> {
    let bits = any::<u64>().prop_map(f64::from_bits);
    let single = any::<f32>().prop_map(f64::from);
    let decimal = (-10_000..10_000_i32).prop_map(|k| f64::from(k) / 1e4);
    let odd = prop::sample::select(vec![
        f64::NAN,
        f64::from_bits(0xfff8_0000_dead_beef),
        f64::from_bits(0x7ff0_0000_0000_0001),
        f64::INFINITY,
        f64::NEG_INFINITY,
        -0.0,
        0.0,
        f64::MAX,
        f64::MIN_POSITIVE,
        5e-324,
    ]);
    prop_oneof![
        prop::collection::vec(bits, 0..most),
        prop::collection::vec(single.clone(), 0..most),
        prop::collection::vec(decimal.clone(), 0..most),
        prop::collection::vec(prop_oneof![odd, single, decimal], 0..most),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_values_come_back_bit_for_bit(values in any_values(700)) {
        check(&values);
    }

    #[test]
    fn a_changed_byte_or_a_cut_is_an_error(
        values in any_values(300),
        at in any::<prop::sample::Index>(),
        change in 1..=255_u8,
    ) {
        let blob = encode_values(&values).unwrap();
        let at = at.index(blob.len());
        let mut scratch = Scratch::default();
        let mut out = Vec::new();
        let mut damaged = blob.clone();
        damaged[at] ^= change;
        prop_assert!(decode_values(&damaged, &mut scratch, &mut out).is_err());
        prop_assert!(decode_values(&blob[..at], &mut scratch, &mut out).is_err());
        prop_assert!(out.is_empty());
    }

    /// Someone who can forge a CRC gets an error or other values, never a panic or a great reservation.
    #[test]
    fn forged_bytes_never_panic(
        values in any_values(300),
        at in any::<prop::sample::Index>(),
        change in 1..=255_u8,
        cut in any::<prop::sample::Index>(),
    ) {
        let mut forged = encode_values(&values).unwrap();
        let at = 6 + at.index(forged.len() - 6);
        forged[at] ^= change;
        let mut out = Vec::new();
        let mut scratch = Scratch::default();
        let _either = decode_values(&bytes::seal(forged.clone()), &mut scratch, &mut out);
        forged.truncate(6 + cut.index(forged.len() - 6));
        let _either = decode_values(&bytes::seal(forged), &mut scratch, &mut out);
        prop_assert!(out.len() <= 2 * CHUNK_VALUES);
    }
}

#[test]
fn cheap_shapes_are_small() {
    assert!(check(&vec![0.25; CHUNK_VALUES]).len() < 20);
    assert!(check(&[f64::NAN; 50]).len() < 20);
    let counter: Vec<f64> = (0..CHUNK_VALUES).map(|k| 3.0 * k as f64 - 40.0).collect();
    assert!(check(&counter).len() < 16);
    let nearly: Vec<f64> = counter
        .iter()
        .map(|v| if *v == 2.0 { -0.0 } else { *v })
        .collect();
    check(&nearly);
    check(&[]);
    check(&[1.0]);
    check(&[9_007_199_254_740_991.0, 9_007_199_254_740_992.0]);
}

#[test]
fn single_precision_is_stored_as_such() {
    let wide: Vec<f64> = (1..4097).map(|k| f64::from((k as f32).sqrt())).collect();
    let blob = check(&wide);
    assert_eq!(blob[8], SINGLE);
    assert!(blob.len() < 4096 * 3, "{}", blob.len());
}

#[test]
fn errors_name_what_is_wrong() {
    assert!(matches!(
        encode_values(&vec![0.5; CHUNK_VALUES + 1]),
        Err(CodecError::Count {
            found: 4097,
            allowed: 4096,
            ..
        })
    ));
    let mut blob = encode_values(&[1.0, 2.5]).unwrap();
    blob[5] = 9;
    let error = decode_values(&bytes::seal(blob), &mut Scratch::default(), &mut Vec::new());
    assert_eq!(
        error.unwrap_err().to_string(),
        "chunk Values has format version 9; this program reads up to 0"
    );
    let axis = crate::codec::encode_axis(&[1], &[2]).unwrap();
    let error = decode_values(&axis, &mut Scratch::default(), &mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "chunk is of kind 2, expected Values");
}
