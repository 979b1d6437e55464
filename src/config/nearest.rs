//! Which known key a mistyped one was meant to be.

/// The known key that `typed` is most like, if any is like it.
pub(super) fn nearest<'k>(typed: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let last = |key: &'k str| key.rsplit('.').next().unwrap_or(key);
    let scored = known.map(|key| {
        // The right key in the wrong section is nearer than any typo.
        let apart = if last(key) == typed.rsplit('.').next().unwrap_or(typed) {
            1
        } else {
            distance(typed, key)
        };
        (apart, key)
    });
    let (apart, key) = scored.min_by_key(|(apart, _)| *apart)?;
    (apart <= 2.max(typed.chars().count() / 4)).then_some(key)
}

/// How many letters must be put in, left out or exchanged to make one of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (column, against) in other.iter().enumerate() {
            let exchanged = diagonal + usize::from(letter != *against);
            diagonal = row[column + 1];
            row[column + 1] = exchanged.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_found_if_it_is_near() {
        let known = ["issuer", "lifetimes.access_token", "keys.cache"];
        for (typed, expected) in [
            ("isuer", Some("issuer")),
            ("lifetime.access_tokens", Some("lifetimes.access_token")),
            ("access_token", Some("lifetimes.access_token")),
            ("cache", Some("keys.cache")),
            ("colour", None),
        ] {
            assert_eq!(nearest(typed, known.into_iter()), expected, "{typed}");
        }
    }
}
