//! The tests of key rotation: what a step of it does to a keyset, and when.

use std::sync::Arc;

use super::*;
use crate::keys::dev_keys::dev_keys;
use crate::keys::signing_key::SigningKey;
use SigningAlgorithm::{ES256, EdDsa, RS256};

const USUAL: &[SigningAlgorithm] = SigningAlgorithm::USUAL;
const NOW: Timestamp = Timestamp(1_000_000_000);
const LIFETIME: Duration = Duration::from_hours(1);
const DAY: i64 = 24 * 60 * 60;
const LEAD: i64 = 10 * 60;

fn policy() -> KeyRotationPolicy {
    KeyRotationPolicy::default()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp(NOW.0.saturating_add(seconds))
}

/// For each algorithm an active key and a next one, both with these ages in seconds.
fn keyset(active_for: i64, next_for: i64) -> Keyset {
    keyset_of(USUAL, active_for, next_for)
}

/// The same for these algorithms.
fn keyset_of(algorithms: &[SigningAlgorithm], active_for: i64, next_for: i64) -> Keyset {
    let keys = dev_keys().unwrap().into_iter();
    let keys = keys.filter(|it| algorithms.contains(&it.algorithm()));
    let keys = keys.enumerate();
    let schedule = keys.map(|(index, key)| {
        let is_next = index % 2 == 1;
        let published_at = at(if is_next { -next_for } else { -active_for });
        ScheduledKey {
            key: Arc::new(key),
            published_at,
            activates_at: if is_next { STAND_BY } else { published_at },
            retires_at: None,
            expires_at: None,
        }
    });
    Keyset::new(schedule.collect())
}

/// The keyset without the keys for which `remove` holds.
fn without(keyset: &Keyset, remove: impl Fn(&ScheduledKey) -> bool) -> Keyset {
    let keys = keyset.keys().iter().filter(|it| !remove(it));
    Keyset::new(keys.cloned().collect())
}

fn kid(keyset: &Keyset, index: usize) -> String {
    keyset.keys()[index].key.kid().to_owned()
}

fn planned_next(algorithm: SigningAlgorithm) -> PlannedKey {
    PlannedKey {
        algorithm,
        published_at: NOW,
        activates_at: STAND_BY,
    }
}

fn planned_active(algorithm: SigningAlgorithm, activates_at: Timestamp) -> PlannedKey {
    PlannedKey {
        algorithm,
        published_at: NOW,
        activates_at,
    }
}

/// Writes a rotation as the store would, with new ES256 keys for those of that algorithm; keys of
/// other algorithms are not made.
fn apply(keyset: &Keyset, rotation: &Rotation) -> Keyset {
    let mut keys = keyset.keys().to_vec();
    for scheduled in &mut keys {
        let kid = scheduled.key.kid();
        if let Some(it) = rotation.promotions.iter().find(|it| it.kid == kid) {
            scheduled.activates_at = it.activates_at;
        }
        if let Some(it) = rotation.retirements.iter().find(|it| it.kid == kid) {
            scheduled.retires_at = Some(it.retires_at);
            scheduled.expires_at = Some(it.expires_at);
        }
    }
    for planned in rotation.planned.iter().filter(|it| it.algorithm == ES256) {
        keys.push(ScheduledKey {
            key: Arc::new(SigningKey::generate(ES256).unwrap()),
            published_at: planned.published_at,
            activates_at: planned.activates_at,
            retires_at: None,
            expires_at: None,
        });
    }
    Keyset::new(keys)
}

#[test]
fn the_first_start_makes_an_active_and_a_next_key_for_each_algorithm() {
    let rotation = rotation_due(&Keyset::default(), &policy(), LIFETIME, NOW).unwrap();
    let planned = [RS256, ES256, EdDsa]
        .into_iter()
        .flat_map(|it| [planned_active(it, NOW), planned_next(it)]);
    assert_eq!(rotation.planned, planned.collect::<Vec<_>>());
    assert!(rotation.promotions.is_empty() && rotation.retirements.is_empty());
}

#[test]
fn nothing_is_due_while_the_keys_are_young() {
    let interval = policy().interval.unwrap().as_secs().cast_signed();
    for (active_for, next_for) in [(0, 0), (interval - 1, interval - 1)] {
        let due = rotation_due(&keyset(active_for, next_for), &policy(), LIFETIME, NOW);
        assert_eq!(due, None);
    }
}

#[test]
fn an_old_key_gives_way_to_a_next_one_that_has_been_published_long_enough() {
    let keys = keyset(90 * DAY, LEAD);
    let rotation = rotation_due(&keys, &policy(), LIFETIME, NOW).unwrap();
    let promotions = [1, 3, 5].map(|index| Promotion {
        kid: kid(&keys, index),
        activates_at: NOW,
    });
    let retirements = [0, 2, 4].map(|index| Retirement {
        kid: kid(&keys, index),
        retires_at: NOW,
        expires_at: NOW.after(LIFETIME + policy().cache),
    });
    assert_eq!(rotation.promotions, promotions);
    assert_eq!(rotation.retirements, retirements);
    assert_eq!(rotation.planned, [RS256, ES256, EdDsa].map(planned_next));

    let early = rotation_due(&keyset(90 * DAY, LEAD - 1), &policy(), LIFETIME, NOW);
    assert_eq!(early, None, "the next key is not known to everybody yet");
}

#[test]
fn without_an_interval_keys_are_rotated_by_hand_alone() {
    let by_hand = KeyRotationPolicy {
        interval: None,
        ..policy()
    };
    let keys = keyset(9_000 * DAY, 9_000 * DAY);
    assert_eq!(rotation_due(&keys, &by_hand, LIFETIME, NOW), None);
    assert!(rotation_by_hand(&keys, USUAL, &by_hand, LIFETIME, NOW).is_some());
}

#[test]
fn by_hand_a_young_key_gives_way_once_the_next_is_known() {
    for (next_for, activates_at) in [(LEAD, NOW), (2 * LEAD, NOW), (100, at(LEAD - 100))] {
        let keys = keyset(next_for, next_for);
        let rotation = rotation_by_hand(&keys, USUAL, &policy(), LIFETIME, NOW).unwrap();
        assert_eq!(rotation.promotions[1].kid, kid(&keys, 3));
        assert_eq!(rotation.promotions[1].activates_at, activates_at);
        assert_eq!(rotation.retirements[1].kid, kid(&keys, 2));
        assert_eq!(rotation.retirements[1].retires_at, activates_at);
        assert_eq!(rotation.planned, [RS256, ES256, EdDsa].map(planned_next));
    }
}

#[test]
fn by_hand_twice_is_once() {
    let keys = without(&keyset(100, 100), |it| it.key.algorithm() != ES256);
    let rotation = rotation_by_hand(&keys, USUAL, &policy(), LIFETIME, NOW).unwrap();
    let rotated = apply(&keys, &rotation);
    let is_es256 = |rotation: Rotation| rotation.planned.iter().any(|it| it.algorithm == ES256);
    let again = rotation_by_hand(&rotated, USUAL, &policy(), LIFETIME, NOW).unwrap();
    assert!(!is_es256(again), "it is under way");
    let due = rotation_due(&rotated, &policy(), LIFETIME, NOW).unwrap();
    assert!(!is_es256(due));

    let active = |now| rotated.active(ES256, now).unwrap().kid().to_owned();
    assert_eq!(active(at(LEAD - 101)), kid(&keys, 0));
    assert_eq!(active(at(LEAD - 100)), kid(&keys, 1));
}

#[test]
fn by_hand_the_keys_of_one_algorithm_give_way_alone() {
    let keys = keyset(2 * LEAD, 2 * LEAD);
    let rotation = rotation_by_hand(&keys, &[ES256], &policy(), LIFETIME, NOW).unwrap();
    assert_eq!(rotation.promotions.len(), 1);
    assert_eq!(rotation.promotions[0].kid, kid(&keys, 3));
    assert_eq!(rotation.retirements.len(), 1);
    assert_eq!(rotation.planned, [planned_next(ES256)]);
}

#[test]
fn a_missing_key_is_made_up_for() {
    let stands_by = |it: &ScheduledKey| it.activates_at == STAND_BY;
    let all = keyset(5, 5);
    let table = [
        (
            "the next",
            without(&all, |it| it.key.algorithm() == ES256 && stands_by(it)),
            vec![planned_next(ES256)],
            0,
        ),
        (
            "the active",
            without(&all, |it| it.key.algorithm() == ES256 && !stands_by(it)),
            vec![planned_next(ES256)],
            1,
        ),
        (
            "both",
            without(&all, |it| it.key.algorithm() == ES256),
            vec![planned_active(ES256, NOW), planned_next(ES256)],
            0,
        ),
    ];
    for (case, keys, planned, promotions) in table {
        let rotation = rotation_due(&keys, &policy(), LIFETIME, NOW).unwrap();
        assert_eq!(rotation.planned, planned, "{case}");
        assert_eq!(rotation.promotions.len(), promotions, "{case}");
        assert!(rotation.retirements.is_empty(), "{case}");
    }
}

#[test]
fn by_hand_without_a_next_key_a_new_one_is_published_first() {
    let keys = without(&keyset(100, 100), |it| it.activates_at == STAND_BY);
    let rotation = rotation_by_hand(&keys, USUAL, &policy(), LIFETIME, NOW).unwrap();
    assert_eq!(rotation.planned[0], planned_active(RS256, at(LEAD)));
    assert_eq!(rotation.planned[1], planned_next(RS256));
    assert_eq!(rotation.retirements[0].retires_at, at(LEAD));
}

#[test]
fn an_old_key_without_a_next_one_waits_for_it() {
    let keys = without(&keyset(90 * DAY, 0), |it| it.activates_at == STAND_BY);
    let rotation = rotation_due(&keys, &policy(), LIFETIME, NOW).unwrap();
    assert_eq!(rotation.planned, [RS256, ES256, EdDsa].map(planned_next));
    assert!(rotation.retirements.is_empty());
}

#[test]
fn of_two_keys_that_were_made_active_at_once_one_is_retired() {
    let mut keys = keyset(5, 5).keys().to_vec();
    keys[3].activates_at = at(-4);
    let rotation = rotation_due(&Keyset::new(keys.clone()), &policy(), LIFETIME, NOW).unwrap();
    let retired: Vec<_> = rotation
        .retirements
        .iter()
        .map(|it| it.kid.as_str())
        .collect();
    assert_eq!(retired, [keys[2].key.kid()]);
    assert_eq!(rotation.planned, [planned_next(ES256)]);
}

#[test]
fn a_clock_behind_that_of_the_replica_that_made_the_keys_makes_no_others() {
    let keys = keyset(-2, -2);
    assert_eq!(rotation_due(&keys, &policy(), LIFETIME, NOW), None);
    assert!(keys.active(ES256, NOW).is_some(), "and it can sign");
}

#[test]
fn short_caches_leave_time_for_replicas_that_lag() {
    let brief = KeyRotationPolicy {
        interval: Some(Duration::from_secs(1)),
        cache: Duration::from_secs(2),
        ..policy()
    };
    assert_eq!(rotation_due(&keyset(31, 31), &brief, LIFETIME, NOW), None);
    let rotation = rotation_due(&keyset(32, 32), &brief, LIFETIME, NOW).unwrap();
    let expires_at = rotation.retirements[0].expires_at;
    assert_eq!(expires_at, NOW.after(LIFETIME + STALE_VIEW));
}

#[test]
fn an_algorithm_that_is_added_gets_keys_and_every_algorithm_is_rotated() {
    let all = KeyRotationPolicy {
        algorithms: SigningAlgorithm::ALL.to_vec(),
        ..policy()
    };
    let rotation = rotation_due(&keyset(5, 5), &all, LIFETIME, NOW).unwrap();
    let planned = [SigningAlgorithm::PS256, SigningAlgorithm::ES384]
        .into_iter()
        .flat_map(|it| [planned_active(it, NOW), planned_next(it)]);
    assert_eq!(rotation.planned, planned.collect::<Vec<_>>());

    let old = keyset_of(SigningAlgorithm::ALL, 90 * DAY, LEAD);
    let rotation = rotation_due(&old, &all, LIFETIME, NOW).unwrap();
    let planned: Vec<_> = SigningAlgorithm::ALL
        .iter()
        .copied()
        .map(planned_next)
        .collect();
    assert_eq!(rotation.planned, planned);
    assert_eq!(rotation.promotions.len(), SigningAlgorithm::ALL.len());
    assert_eq!(rotation.retirements.len(), SigningAlgorithm::ALL.len());
}

#[test]
fn the_keys_of_an_algorithm_that_is_withdrawn_retire_and_no_others_follow() {
    let hour = 60 * 60;
    let young = keyset_of(SigningAlgorithm::ALL, hour - 1, hour - 1);
    assert_eq!(rotation_due(&young, &policy(), LIFETIME, NOW), None);

    let keys = keyset_of(SigningAlgorithm::ALL, hour, hour);
    let rotation = rotation_due(&keys, &policy(), LIFETIME, NOW).unwrap();
    let expires_at = NOW.after(LIFETIME + policy().cache);
    let retirements = [6, 7, 8, 9].map(|index| Retirement {
        kid: kid(&keys, index),
        retires_at: NOW,
        expires_at,
    });
    assert_eq!(rotation.retirements, retirements);
    assert!(rotation.planned.is_empty() && rotation.promotions.is_empty());

    let withdrawn = apply(&keys, &rotation);
    assert_eq!(rotation_due(&withdrawn, &policy(), LIFETIME, NOW), None);
    let signs = |now| withdrawn.active(SigningAlgorithm::PS256, now).is_some();
    assert!(
        signs(Timestamp(expires_at.0 - 1)),
        "for who is still registered for it"
    );
    assert!(!signs(expires_at));
    assert_eq!(withdrawn.states(expires_at).len(), 6);

    // A key that was withdrawn does not come back: it is about to be deleted.
    let all = KeyRotationPolicy {
        algorithms: SigningAlgorithm::ALL.to_vec(),
        ..policy()
    };
    let rotation = rotation_due(&withdrawn, &all, LIFETIME, NOW).unwrap();
    let made = |algorithm| [planned_active(algorithm, NOW), planned_next(algorithm)];
    let planned = [made(SigningAlgorithm::PS256), made(SigningAlgorithm::ES384)];
    assert_eq!(rotation.planned, planned.concat());
    assert!(rotation.promotions.is_empty());
}

/// Three years with a look every six hours, in each of which whoever caches the JWKS as long as
/// allowed, of a replica as stale as allowed, can verify every token.
#[test]
fn whatever_is_signed_can_be_verified_until_it_expires() {
    let cache = policy().cache;
    let mut history = Vec::new();
    let mut keyset = Keyset::default();
    for look in 0..(3 * 365 * 4) {
        let now = at(look * DAY / 4);
        if let Some(rotation) = rotation_due(&keyset, &policy(), LIFETIME, now) {
            keyset = apply(&keyset, &rotation);
        }
        history.push((now, keyset.active(ES256, now).unwrap().clone()));
        let published = keyset.states(now).len();
        assert!((2..=3).contains(&published), "{published} keys");
    }

    let scheduled = |kid: &str| keyset.keys().iter().find(|it| it.key.kid() == kid).unwrap();
    for (signed_at, key) in &history {
        let key = scheduled(key.kid());
        let is_first = key.published_at == NOW && key.activates_at == NOW;
        let known_at = key.published_at.after(cache + STALE_VIEW);
        assert!(is_first || known_at <= *signed_at);
        let last_expires_at = signed_at.after(LIFETIME + STALE_VIEW);
        assert!(key.expires_at.is_none_or(|it| last_expires_at <= it));
    }
    let rotations = keyset.keys().iter().filter(|it| it.retires_at.is_some());
    assert_eq!(rotations.count(), 12, "every 90 days");
}
