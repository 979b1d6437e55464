//! Units of work: each succeeds or fails alone, and is answered when it is committed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keyfob::store::{
    DatabaseOptions, Outage, Store, StoreError, authorization_codes, grants, refresh_tokens, users,
};

use crate::fixture::{
    LATER, client, code, commit, connect, count_users, digest, grant, insert_user, nothing_is_left,
    parties, race, reader, refresh_token, register, session, user,
};

conformance! {
    a_failing_unit_leaves_no_trace_and_its_neighbours_commit,
    a_failing_unit_alone_leaves_no_trace,
    a_unit_that_asks_for_nothing_or_fails_at_its_end_harms_no_neighbour,
    what_was_stored_before_a_refusal_is_gone,
    a_failed_statement_spoils_its_unit,
    a_unit_that_panics_leaves_no_trace_and_the_store_goes_on,
    a_unit_that_takes_too_long_is_rolled_back,
    a_caller_that_goes_away_stops_nobody,
    what_was_answered_is_seen_by_the_next_reader,
    read_then_write_does_not_deadlock,
    a_text_with_nul_is_refused,
    a_closed_store_refuses_and_has_finished_what_it_began,
}

#[derive(Debug)]
enum UnitError {
    Refused,
    Store(StoreError),
}

impl From<StoreError> for UnitError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

async fn insert_or_refuse(store: Store, number: usize) -> Result<usize, UnitError> {
    store
        .write(move |db| {
            Box::pin(async move {
                insert_user(db, &format!("user{number}")).await?;
                match number % 3 {
                    0 => Err(UnitError::Refused),
                    // A statement that fails, and is the end of its unit.
                    1 => users_twice(db).await.map(|()| number),
                    _ => Ok(number),
                }
            })
        })
        .await
}

async fn users_twice(db: &mut keyfob::store::Connection) -> Result<(), UnitError> {
    let session = session(&user("nobody"));
    keyfob::store::sessions::insert(db, &digest("x"), &session, LATER).await?;
    Ok(())
}

async fn a_failing_unit_leaves_no_trace_and_its_neighbours_commit(store: Store) {
    let outcomes = race(&store, insert_or_refuse).await;
    for (number, outcome) in outcomes.iter().enumerate() {
        let is_right = match number % 3 {
            0 => matches!(outcome, Err(UnitError::Refused)),
            1 => matches!(outcome, Err(UnitError::Store(StoreError::Dangling))),
            _ => matches!(outcome, Ok(it) if *it == number),
        };
        assert!(is_right, "{number}: {outcome:?}");
    }

    let mut db = reader(&store).await;
    let users = users::list(&mut db, None, 1000).await.unwrap();
    let mut names: Vec<_> = users.iter().map(|it| it.username.to_string()).collect();
    let mut expected: Vec<_> = (0..64)
        .filter(|number| number % 3 == 2)
        .map(|number| format!("user{number}"))
        .collect();
    names.sort();
    expected.sort();
    assert_eq!(names, expected);
}

async fn a_failing_unit_alone_leaves_no_trace(store: Store) {
    for number in 0..6 {
        let outcome = insert_or_refuse(store.clone(), number).await;
        assert_eq!(outcome.is_ok(), number % 3 == 2);
    }
    assert_eq!(count_users(&store).await, 2);
}

async fn a_unit_that_asks_for_nothing_or_fails_at_its_end_harms_no_neighbour(store: Store) {
    let outcomes = race(&store, |store, number| async move {
        let outcome: Result<(), UnitError> = store
            .write(move |db| {
                Box::pin(async move {
                    match number % 4 {
                        0 => insert_user(db, &format!("user{number}")).await?,
                        1 => return Err(UnitError::Refused),
                        2 => {}
                        // Nobody knows the user of this grant, and no other statement follows.
                        _ => {
                            let stray = grant(&user("nobody"), &client("app"));
                            grants::insert(db, &stray, None).await?;
                        }
                    }
                    Ok(())
                })
            })
            .await;
        outcome
    })
    .await;
    for (number, outcome) in outcomes.iter().enumerate() {
        let is_right = match number % 4 {
            1 => matches!(outcome, Err(UnitError::Refused)),
            3 => matches!(outcome, Err(UnitError::Store(StoreError::Dangling))),
            _ => outcome.is_ok(),
        };
        assert!(is_right, "{number}: {outcome:?}");
    }
    assert_eq!(count_users(&store).await, 16);
}

async fn what_was_stored_before_a_refusal_is_gone(store: Store) {
    let parties = parties(&store).await;
    let (code, token) = (code(&parties.grant), refresh_token(&parties.grant));
    let outcome: Result<(), UnitError> = store
        .write(move |db| {
            Box::pin(async move {
                authorization_codes::insert(db, &digest("code"), &code).await?;
                refresh_tokens::insert(db, &digest("token"), &token).await?;
                Err(UnitError::Refused)
            })
        })
        .await;
    assert!(matches!(outcome, Err(UnitError::Refused)), "{outcome:?}");
    // Nor does the next unit bring it in.
    commit!(store, |db| insert_user(db, "bob")).unwrap();
    nothing_is_left(&store).await;
}

async fn a_failed_statement_spoils_its_unit(store: Store) {
    let outcome: Result<(), StoreError> = store
        .write(|db| {
            Box::pin(async move {
                insert_user(db, "alice").await?;
                let _ = users_twice(db).await;
                Ok(())
            })
        })
        .await;
    assert!(matches!(outcome, Err(StoreError::Spoiled)), "{outcome:?}");
    assert_eq!(count_users(&store).await, 0);
}

async fn a_unit_that_panics_leaves_no_trace_and_the_store_goes_on(store: Store) {
    let outcomes = race(&store, |store, number| async move {
        let outcome: Result<(), StoreError> = store
            .write(move |db| {
                Box::pin(async move {
                    insert_user(db, &format!("user{number}")).await?;
                    assert!(number % 2 == 0, "as the test wants it");
                    Ok(())
                })
            })
            .await;
        outcome
    })
    .await;
    for (number, outcome) in outcomes.iter().enumerate() {
        match number % 2 {
            0 => assert!(outcome.is_ok(), "{outcome:?}"),
            _ => assert!(matches!(outcome, Err(StoreError::Panicked)), "{outcome:?}"),
        }
    }
    assert_eq!(count_users(&store).await, 32);
}

async fn a_unit_that_takes_too_long_is_rolled_back(store: Store) {
    let endless: Result<(), StoreError> = store
        .write(|db| {
            Box::pin(async move {
                insert_user(db, "alice").await?;
                std::future::pending().await
            })
        })
        .await;
    assert!(
        matches!(endless, Err(StoreError::Unavailable(Outage::Silent))),
        "{endless:?}"
    );
    commit!(store, |db| insert_user(db, "bob")).unwrap();
    assert_eq!(count_users(&store).await, 1);
}

async fn a_caller_that_goes_away_stops_nobody(store: Store) {
    let has_begun = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&has_begun);
    let abandoned = tokio::spawn({
        let store = store.clone();
        async move {
            let outcome: Result<(), StoreError> = store
                .write(move |db| {
                    Box::pin(async move {
                        flag.store(true, Ordering::SeqCst);
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        insert_user(db, "alice").await
                    })
                })
                .await;
            outcome
        }
    });
    while !has_begun.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    abandoned.abort();

    commit!(store, |db| insert_user(db, "bob")).unwrap();
    while count_users(&store).await < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn what_was_answered_is_seen_by_the_next_reader(store: Store) {
    race(&store, |store, number| async move {
        let user = user(&format!("user{number}"));
        let id = user.id;
        register(&store, &user).await;
        let mut db = reader(&store).await;
        assert!(users::find(&mut db, id).await.unwrap().is_some());
    })
    .await;
}

async fn read_then_write_does_not_deadlock(store: Store) {
    let outcomes = race(&store, |store, number| async move {
        let outcome: Result<(), StoreError> = store
            .write(move |db| {
                Box::pin(async move {
                    users::list(db, None, 10).await?;
                    insert_user(db, &format!("user{number}")).await
                })
            })
            .await;
        outcome
    })
    .await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
}

async fn a_text_with_nul_is_refused(store: Store) {
    let mut alice = user("alice");
    alice.password = Some(keyfob::oidc::user::PasswordHash::from_phc(
        "a\0b".to_owned(),
    ));
    let outcome = commit!(store, |db| users::insert(db, &alice));
    assert!(matches!(outcome, Err(StoreError::NulInText)), "{outcome:?}");

    // In JSON, the character is escaped.
    let mut bob = user("bob");
    bob.claims.name = Some("a\0b".to_owned());
    let id = bob.id;
    register(&store, &bob).await;
    let found = users::find(&mut *reader(&store).await, id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.claims.name.as_deref(), Some("a\0b"));
}

async fn a_closed_store_refuses_and_has_finished_what_it_began(store: Store) {
    let has_begun = Arc::new(AtomicBool::new(false));
    let begun: Vec<_> = (0..100)
        .map(|number| {
            let (store, flag) = (store.clone(), Arc::clone(&has_begun));
            tokio::spawn(async move {
                let outcome: Result<(), StoreError> = store
                    .write(move |db| {
                        Box::pin(async move {
                            flag.store(true, Ordering::SeqCst);
                            insert_user(db, &format!("user{number}")).await
                        })
                    })
                    .await;
                outcome
            })
        })
        .collect();
    while !has_begun.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    store.close().await;
    let mut done = 0;
    for unit in begun {
        let outcome = unit.await.unwrap();
        done += usize::from(outcome.is_ok());
        assert!(
            matches!(
                outcome,
                Ok(()) | Err(StoreError::Unavailable(Outage::Closed))
            ),
            "{outcome:?}"
        );
    }
    assert!(done > 0);
    store.close().await;
    let refused = commit!(store, |db| insert_user(db, "bob"));
    assert!(
        matches!(refused, Err(StoreError::Unavailable(Outage::Closed))),
        "{refused:?}"
    );
    assert!(store.read().await.is_err());
    assert!(store.ping().await.is_err());
}

#[tokio::test]
async fn a_store_that_is_dropped_finishes_what_waits() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", directory.path().join("keyfob.db").display());
    let store = connect(&url).await;
    let waiting: Vec<_> = (0..200)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(
                async move { commit!(store, |db| insert_user(db, &format!("user{number}"))) },
            )
        })
        .collect();
    drop(store);
    for unit in waiting {
        unit.await.unwrap().unwrap();
    }
    assert_eq!(count_users(&connect(&url).await).await, 200);
}

#[tokio::test]
async fn what_was_answered_survives_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", directory.path().join("keyfob.db").display());
    let store = Store::connect(&DatabaseOptions::new(&url)).await.unwrap();
    commit!(store, |db| insert_user(db, "alice")).unwrap();
    // Copied while it is in use: the file and its log are all that a power cut would leave.
    let copy = directory.path().join("copy.db");
    for suffix in ["", "-wal"] {
        let from = format!("{}/keyfob.db{suffix}", directory.path().display());
        std::fs::copy(from, format!("{}{suffix}", copy.display())).unwrap();
    }
    let copied = connect(&format!("sqlite:{}", copy.display())).await;
    assert_eq!(count_users(&copied).await, 1);

    store.close().await;
    assert!(!directory.path().join("keyfob.db-wal").exists());
    assert_eq!(count_users(&connect(&url).await).await, 1);
}
