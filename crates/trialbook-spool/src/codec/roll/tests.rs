use proptest::prelude::*;

use super::*;
use crate::codec::bytes;

fn rolls_of(steps: Vec<i64>, values: &[f64]) -> (Vec<AxisRoll>, Vec<ValueRoll>) {
    let times = (0..steps.len() as i64).collect();
    let axis = Axis::new(steps, times).unwrap();
    (axis_rolls(&axis), value_rolls(&axis, values).unwrap())
}

fn check(axis: &[AxisRoll], values: &[ValueRoll]) -> (usize, usize) {
    let axis_blob = encode_axis_rolls(axis).unwrap();
    let mut axis_back = Vec::new();
    decode_axis_rolls(&axis_blob, &mut axis_back).unwrap();
    assert_eq!(axis_back, axis);
    let blob = encode_value_rolls(values).unwrap();
    let mut back = Vec::new();
    decode_value_rolls(&blob, &mut back).unwrap();
    let bits = |roll: &ValueRoll| {
        (
            [roll.finite, roll.nan, roll.pos_inf, roll.neg_inf],
            [roll.min.to_bits(), roll.max.to_bits()],
            [roll.last.to_bits(), roll.sum.to_bits()],
        )
    };
    assert_eq!(back.len(), values.len());
    for (back, roll) in back.iter().zip(values) {
        assert_eq!(bits(back), bits(roll));
    }
    (axis_blob.len(), blob.len())
}

fn any_points() -> impl Strategy<Value = (Vec<i64>, Vec<f64>)> {
    let value = prop_oneof![
        4 => -1e3..1e3_f64,
        1 => any::<u64>().prop_map(f64::from_bits),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MAX, f64::MIN]),
    ];
    prop::collection::vec((any::<i16>().prop_map(i64::from), value), 0..900)
        .prop_map(|points| points.into_iter().unzip())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn bounds_lie_outside_and_counts_add_up((steps, values) in any_points()) {
        let (axis, rolls) = rolls_of(steps.clone(), &values);
        prop_assert_eq!(rolls.len(), values.len().div_ceil(ROLL_VALUES));
        for (at, (span, roll)) in axis.iter().zip(&rolls).enumerate() {
            let block = &values[at * ROLL_VALUES..values.len().min((at + 1) * ROLL_VALUES)];
            let block_steps = &steps[at * ROLL_VALUES..at * ROLL_VALUES + block.len()];
            prop_assert_eq!(roll.count() as usize, block.len());
            prop_assert_eq!(span.count as usize, block.len());
            prop_assert_eq!(span.first_step, *block_steps.iter().min().unwrap());
            prop_assert_eq!(span.last_step, *block_steps.iter().max().unwrap());
            for &value in block.iter().filter(|value| value.is_finite()) {
                prop_assert!(f64::from(roll.min) <= value && value <= f64::from(roll.max));
            }
            let key = |at: usize| order_of(block_steps[at], at as i64, block[at]);
            let last = (0..block.len()).max_by_key(|&at| key(at)).unwrap();
            prop_assert_eq!(roll.last.to_bits(), block[last].to_bits());
        }
        check(&axis, &rolls);
    }

    #[test]
    fn a_changed_byte_or_a_cut_is_an_error(
        (steps, values) in any_points(),
        at in any::<prop::sample::Index>(),
        change in 1..=255_u8,
    ) {
        let (axis, rolls) = rolls_of(steps, &values);
        let (mut axis_out, mut out) = (Vec::new(), Vec::new());
        for blob in [encode_axis_rolls(&axis).unwrap(), encode_value_rolls(&rolls).unwrap()] {
            let at = at.index(blob.len());
            let mut damaged = blob.clone();
            damaged[at] ^= change;
            prop_assert!(decode_axis_rolls(&damaged, &mut axis_out).is_err());
            prop_assert!(decode_value_rolls(&damaged, &mut out).is_err());
            prop_assert!(decode_value_rolls(&blob[..at], &mut out).is_err());
            prop_assert!(axis_out.is_empty() && out.is_empty());
            let forged = bytes::seal(damaged);
            if forged.len() >= 6 {
                let _either = decode_axis_rolls(&forged, &mut axis_out);
                let _either = decode_value_rolls(&forged, &mut out);
                axis_out.clear();
                out.clear();
            }
        }
    }
}

#[test]
fn bounds_are_rounded_outward() {
    let third = 1.0 / 3.0;
    let (_, rolls) = rolls_of(vec![1, 2], &[third, -third]);
    assert!(f64::from(rolls[0].max) > third && f64::from(rolls[0].max) < third + 1e-7);
    assert!(f64::from(rolls[0].min) < -third);
    assert_eq!(
        (not_above(1e300), not_below(1e300)),
        (f32::MAX, f32::INFINITY)
    );
    assert_eq!(
        (not_above(-1e300), not_below(-1e300)),
        (f32::NEG_INFINITY, f32::MIN)
    );
    assert_eq!(not_below(-1e-60).to_bits(), 0);
    let (_, empty) = rolls_of(vec![1], &[f64::NAN]);
    assert_eq!((empty[0].finite, empty[0].nan), (0, 1));
    assert_eq!(
        (empty[0].min, empty[0].max),
        (f32::INFINITY, f32::NEG_INFINITY)
    );
}

#[test]
fn a_full_chunk_rolls_up_small() {
    let values: Vec<f64> = (0..4096).map(|k| (f64::from(k) / 9.0).sin()).collect();
    let (axis, rolls) = rolls_of((0..4096).collect(), &values);
    let (axis_len, len) = check(&axis, &rolls);
    assert!(axis_len < 160, "{axis_len}");
    assert!(len <= 16 * 24 + 20, "{len}");
    let (_, constant) = rolls_of((0..4096).collect(), &vec![0.5; 4096]);
    assert!(check(&axis, &constant).1 < 50);
}
