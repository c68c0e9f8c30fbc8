use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn any_bytes_can_be_looked_at(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in any::<u8>(), flags in any::<u8>()) {
        let _ = matches!(look(&bytes), Look::Frame(_));
        let head = Head { seq: 1, time: 0, kind, flags };
        if let Some(view) = PointsView::of(head, &bytes) {
            prop_assert_eq!(view.keys().count(), view.len());
            prop_assert_eq!(view.iter().count(), view.len());
        }
        let _ = Signature::take(flags, &bytes);
        let _ = Definition::of(kind, &bytes);
        let _ = decode_op(kind, 0, &bytes);
        // The same as the body of a frame whose check is right.
        let mut frame = Vec::new();
        let start = open(&mut frame, head);
        frame.extend_from_slice(&bytes);
        prop_assert!(close(&mut frame, start));
        prop_assert_eq!(frame.len() % ALIGN, 0);
        let Look::Frame(raw) = look(&frame) else { panic!("a frame") };
        prop_assert_eq!(raw.head, head);
        prop_assert_eq!(raw.rest, &bytes[..]);
        prop_assert_eq!(raw.step, frame.len());
    }

    #[test]
    fn points_come_back_bit_for_bit(
        step in any::<i64>(),
        subject in any::<u32>(),
        pairs in proptest::collection::vec((any::<u32>(), any::<u64>()), 0..40),
    ) {
        let pairs: Vec<_> = pairs.iter().map(|&(key, bits)| (key, f64::from_bits(bits))).collect();
        let head = PointsHead { seq: 7, time: -3, flags: flag::SET, subject, step };
        let mut frame = Vec::new();
        prop_assert!(put_points(&mut frame, head, &pairs));
        let Look::Frame(raw) = look(&frame) else { panic!("a frame") };
        let view = PointsView::of(raw.head, raw.rest).unwrap();
        prop_assert_eq!((view.subject, view.step, view.time, view.set), (subject, step, -3, true));
        let back: Vec<_> = view.iter().map(|(key, value)| (key, value.to_bits())).collect();
        let sent: Vec<_> = pairs.iter().map(|&(key, value)| (key, value.to_bits())).collect();
        prop_assert_eq!(back, sent);
        prop_assert_eq!(view.values().len(), pairs.len());
    }
}

#[test]
fn one_flipped_bit_makes_no_frame_of_another() {
    let mut frame = Vec::new();
    let head = PointsHead {
        seq: 7,
        time: 8,
        flags: 0,
        subject: 0,
        step: 1,
    };
    assert!(put_points(
        &mut frame,
        head,
        &[(0_u32, 0.25), (1, f64::NAN)]
    ));
    let Look::Frame(whole) = look(&frame) else {
        panic!("a frame")
    };
    let body = PREFIX + HEAD + whole.rest.len();
    for bit in 0..body * 8 {
        let mut damaged = frame.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(!matches!(look(&damaged), Look::Frame(_)), "bit {bit}");
    }
}
