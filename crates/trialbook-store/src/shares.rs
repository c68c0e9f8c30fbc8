//! One kind of work on many things, shared among threads.
//!
//! Not here: what is read or written, which one thread does. Invariant: results stand in the order of the
//! things; whether threads are used changes nothing else.

use std::panic::resume_unwind;
use std::thread;

/// Runs whose unpacking or folding repays a thread: about two milliseconds of work.
pub(crate) const RUNS_EACH: usize = 128;

/// What the work gives for each thing; a thread gets `least` things, or there is none for it.
pub(crate) fn map<T: Send, R: Send>(
    things: Vec<T>,
    least: usize,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let most = things.len() / least.max(1);
    let threads = if most < 2 {
        1
    } else {
        thread::available_parallelism()
            .map_or(1, usize::from)
            .min(most)
    };
    if threads == 1 {
        return things.into_iter().map(work).collect();
    }
    let share = things.len().div_ceil(threads);
    let mut rest = things.into_iter();
    let first: Vec<T> = rest.by_ref().take(share).collect();
    let work = &work;
    thread::scope(|scope| {
        let mut others = Vec::with_capacity(threads);
        while rest.len() > 0 {
            let part: Vec<T> = rest.by_ref().take(share).collect();
            others.push(scope.spawn(move || part.into_iter().map(work).collect::<Vec<R>>()));
        }
        let mut done: Vec<R> = first.into_iter().map(work).collect();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_things_however_they_are_shared() {
        for many in [0, 1, 2, 7, 1000] {
            for least in [0, 1, 3, 999, 5000] {
                let things: Vec<usize> = (0..many).collect();
                let expected: Vec<usize> = (0..many).map(|at| at * 2).collect();
                assert_eq!(map(things, least, |at| at * 2), expected, "{many} {least}");
            }
        }
    }

    #[test]
    fn things_may_be_changed_in_place() {
        let mut numbers: Vec<u64> = (0..100).collect();
        map(numbers.iter_mut().collect(), 1, |number| *number += 1);
        assert_eq!(numbers, (1..=100).collect::<Vec<u64>>());
    }
}
