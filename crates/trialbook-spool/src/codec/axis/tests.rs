use proptest::prelude::*;

use super::*;

fn check(steps: &[i64], times: &[i64]) -> Vec<u8> {
    let blob = encode_axis(steps, times).unwrap();
    let mut axis = Axis::default();
    let count = decode_axis(&blob, &mut Scratch::default(), &mut axis).unwrap();
    assert_eq!(count, steps.len());
    assert_eq!(axis.steps(), steps);
    assert_eq!(axis.times(), times);
    assert_eq!(
        axis.order(),
        Axis::new(steps.to_vec(), times.to_vec()).unwrap().order()
    );
    blob
}

fn any_calls(most: usize) -> impl Strategy<Value = (Vec<i64>, Vec<i64>)> {
    let wild = prop::collection::vec((any::<i64>(), any::<i64>()), 0..most);
    let tame =
        prop::collection::vec((0..3_i64, 200_000..300_000_i64), 0..most).prop_map(|deltas| {
            let (mut step, mut time) = (0, 1_769_000_412_345_678);
            deltas
                .into_iter()
                .map(|(forward, wait)| {
                    step += forward;
                    time += wait;
                    (step, time)
                })
                .collect()
        });
    prop_oneof![wild, tame].prop_map(|calls: Vec<(i64, i64)>| calls.into_iter().unzip())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_axis_comes_back((steps, times) in any_calls(600)) {
        check(&steps, &times);
    }

    #[test]
    fn chunks_join_into_one_axis((steps, times) in any_calls(600), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(steps.len() + 1);
        let mut joined = Axis::default();
        let mut scratch = Scratch::default();
        for part in [0..cut, cut..steps.len()] {
            let blob = encode_axis(&steps[part.clone()], &times[part]).unwrap();
            decode_axis(&blob, &mut scratch, &mut joined).unwrap();
        }
        prop_assert_eq!(joined, Axis::new(steps, times).unwrap());
    }

    #[test]
    fn a_changed_byte_or_a_cut_is_an_error(
        (steps, times) in any_calls(300),
        at in any::<prop::sample::Index>(),
        change in 1..=255_u8,
    ) {
        let blob = encode_axis(&steps, &times).unwrap();
        let at = at.index(blob.len());
        let mut scratch = Scratch::default();
        let mut axis = Axis::default();
        let mut damaged = blob.clone();
        damaged[at] ^= change;
        prop_assert!(decode_axis(&damaged, &mut scratch, &mut axis).is_err());
        prop_assert!(decode_axis(&blob[..at], &mut scratch, &mut axis).is_err());
        prop_assert!(axis.is_empty());
        damaged.truncate(at.max(6));
        let _either = decode_axis(&bytes::seal(damaged), &mut scratch, &mut axis);
        prop_assert!(axis.steps().len() == axis.times().len());
    }
}

#[test]
fn regular_calls_are_small_and_order_is_known() {
    let steps: Vec<i64> = (0..4096).map(|k| k * 10).collect();
    let times: Vec<i64> = (0..4096)
        .map(|k| 1_769_000_412_345_678 + k * 250_000)
        .collect();
    assert!(check(&steps, &times).len() < 40);
    let mut axis = Axis::default();
    for (step, time) in [(1, 5), (1, 5), (2, 4)] {
        axis.push(step, time);
    }
    assert_eq!(
        axis.order(),
        StepOrder::Ascending,
        "a later step may have an earlier time"
    );
    axis.push(2, 3);
    assert_eq!(axis.order(), StepOrder::Mixed);
    axis.clear();
    assert_eq!((axis.len(), axis.order()), (0, StepOrder::Ascending));
    assert!(Axis::new(vec![1], vec![]).is_err());
    assert!(encode_axis(&[1], &[]).is_err());
}
