//! The most alike of several known words, for hints.
//!
//! Not here: deciding that a word is wrong. Invariant: a suggestion is close enough to be a slip of
//! the finger, or there is none.

/// The known word that `word` most probably meant.
pub fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    // Longer words are not compared: the distance takes time in the product of the lengths.
    if word.len() > 200 {
        return None;
    }
    let folded = word.to_lowercase();
    let allowed = (folded.chars().count() / 3).max(1);
    known
        .iter()
        .filter(|candidate| candidate.len() <= 200)
        .map(|candidate| (distance(&folded, &candidate.to_lowercase()), *candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The known word that `word` may have stood for, where people chose both: a slip, else the shortest one that
/// begins with it, else the shortest one that holds it.
pub fn resembling<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let shortest = |fits: &dyn Fn(&str) -> bool| {
        let fitting = known.iter().filter(|known| fits(&known.to_lowercase()));
        fitting.min_by_key(|known| known.len()).copied()
    };
    let folded = word.to_lowercase();
    if folded.is_empty() {
        return None;
    }
    nearest(word, known)
        .or_else(|| shortest(&|known| known.starts_with(&folded)))
        .or_else(|| shortest(&|known| known.contains(&folded)))
}

/// Slips between two words: letters missing, added, changed or turned around.
pub(crate) fn distance(left: &str, right: &str) -> usize {
    strsim::damerau_levenshtein(left, right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slips_are_suggested() {
        let known = ["trials", "variations", "metrics", "task"];
        assert_eq!(nearest("trails", &known), Some("trials"));
        assert_eq!(nearest("Variation", &known), Some("variations"));
        assert_eq!(nearest("tsak", &known), Some("task"));
        assert_eq!(nearest("budget", &known), None);
        assert_eq!(nearest("", &known), None);
        assert_eq!(nearest(&"x".repeat(1000), &known), None);
    }

    #[test]
    fn parts_of_words_resemble_them() {
        let known = ["val_accuracy", "accuracy_rate", "accuracy", "loss"];
        assert_eq!(resembling("acc", &known), Some("accuracy"));
        assert_eq!(resembling("Rate", &known), Some("accuracy_rate"));
        assert_eq!(resembling("los", &known), Some("loss"));
        assert_eq!(resembling("f1", &known), None);
        assert_eq!(resembling("", &known), None);
        assert_eq!(resembling(&"x".repeat(1000), &known), None);
    }
}
