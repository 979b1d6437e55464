//! The clients of a session, and logout tokens on their way to them.

use keyfob::oidc::client::Client;
use keyfob::oidc::logout_token::{LogoutDelivery, Verdict};
use keyfob::oidc::session::SessionId;
use keyfob::oidc::user::User;
use keyfob::store::{
    Store, StoreError, clients, logout_deliveries, session_clients, sessions, users,
};
use uuid::Uuid;

use crate::fixture::{
    LATER, MUCH_LATER, NOW, begin_session, client, client_id, commit, race, reader, register,
    session, user,
};

conformance! {
    a_session_knows_its_clients_once_each_and_until_it_ends,
    a_delivery_is_found_as_it_was_queued,
    a_delivery_is_claimed_once_under_a_race,
    what_is_due_is_listed_and_no_target_fills_the_list,
    what_was_settled_is_due_no_more,
    deliveries_outlive_their_user_and_not_their_client,
    deliveries_are_swept_away_after_a_week,
}

async fn plant(store: &Store) -> (User, Client) {
    let (alice, app) = (user("alice"), client("app"));
    register(store, &alice).await;
    let stored = app.clone();
    assert!(commit!(store, |db| clients::insert(db, &stored)).unwrap());
    (alice, app)
}

fn delivery(user: &User, client: &Client, target: &str) -> LogoutDelivery {
    LogoutDelivery {
        id: Uuid::new_v4(),
        client_id: client.id.clone(),
        session_id: SessionId(Uuid::new_v4()),
        user_id: user.id,
        target: target.to_owned(),
        attempts: 0,
        last_status: None,
        created_at: NOW,
        next_attempt_at: Some(NOW),
        delivered_at: None,
        failed_at: None,
    }
}

async fn queue(store: &Store, delivery: &LogoutDelivery) -> Result<(), StoreError> {
    let delivery = delivery.clone();
    commit!(store, |db| logout_deliveries::insert(db, &delivery))
}

async fn listed(store: &Store, client: &Client) -> Vec<LogoutDelivery> {
    let mut db = reader(store).await;
    let listed = logout_deliveries::list_of_client(&mut db, &client.id, 10).await;
    listed.unwrap()
}

async fn due(store: &Store, per_target: u32, limit: u32) -> Vec<Uuid> {
    let mut db = reader(store).await;
    let due = logout_deliveries::list_due(&mut db, NOW, per_target, limit).await;
    let due = due.unwrap().into_iter();
    due.map(|(delivery, client)| {
        assert_eq!(delivery.client_id, client.id);
        delivery.id
    })
    .collect()
}

async fn a_session_knows_its_clients_once_each_and_until_it_ends(store: Store) {
    let (alice, app) = plant(&store).await;
    let disabled = client("disabled");
    let stored = disabled.clone();
    commit!(store, |db| clients::insert(db, &stored)).unwrap();
    let session = session(&alice);
    let id = session.id;
    begin_session(&store, &session, "cookie", MUCH_LATER).await;
    for name in ["app", "app", "disabled"] {
        commit!(store, |db| session_clients::insert(
            db,
            id,
            &client_id(name),
            NOW
        ))
        .unwrap();
    }
    commit!(store, |db| clients::disable(
        db,
        &client_id("disabled"),
        NOW
    ))
    .unwrap();

    let list = async || {
        let clients = session_clients::list(&mut *reader(&store).await, id).await;
        let clients = clients.unwrap().into_iter();
        clients.map(|client| client.id).collect::<Vec<_>>()
    };
    assert_eq!(list().await, std::slice::from_ref(&app.id));
    assert!(commit!(store, |db| sessions::end(db, id, NOW)).unwrap());
    commit!(store, |db| clients::enable(db, &client_id("disabled"))).unwrap();
    assert_eq!(list().await.len(), 2, "it still knows, to tell them");
    let late = client("late");
    let stored = late.clone();
    commit!(store, |db| clients::insert(db, &stored)).unwrap();
    commit!(store, |db| session_clients::insert(db, id, &late.id, NOW)).unwrap();
    assert_eq!(list().await.len(), 2, "and learns no more");
}

async fn a_delivery_is_found_as_it_was_queued(store: Store) {
    let (alice, app) = plant(&store).await;
    let mut queued = delivery(&alice, &app, "https://app.example");
    queue(&store, &queued).await.unwrap();
    assert_eq!(listed(&store, &app).await, [queued.clone()]);
    queued.client_id = client_id("nobody");
    queued.id = Uuid::new_v4();
    let outcome = queue(&store, &queued).await;
    assert!(matches!(outcome, Err(StoreError::Dangling)), "{outcome:?}");
}

async fn a_delivery_is_claimed_once_under_a_race(store: Store) {
    let (alice, app) = plant(&store).await;
    let queued = delivery(&alice, &app, "https://app.example");
    let id = queued.id;
    queue(&store, &queued).await.unwrap();
    let claims = race(&store, move |store, _| async move {
        commit!(store, |db| logout_deliveries::claim(db, id, 0, LATER)).unwrap()
    });
    let winners = claims.await.into_iter().filter(|won| *won).count();
    assert_eq!(winners, 1);
    let claimed = &listed(&store, &app).await[0];
    assert_eq!(
        (claimed.attempts, claimed.next_attempt_at),
        (1, Some(LATER))
    );
    assert!(due(&store, 9, 9).await.is_empty(), "it is put off");
    // The next attempt is the next one's.
    assert!(!commit!(store, |db| logout_deliveries::claim(db, id, 0, LATER)).unwrap());
    assert!(commit!(store, |db| logout_deliveries::claim(db, id, 1, LATER)).unwrap());
}

async fn what_is_due_is_listed_and_no_target_fills_the_list(store: Store) {
    let (alice, app) = plant(&store).await;
    for _ in 0..20 {
        let to_dead = delivery(&alice, &app, "https://dead.example");
        queue(&store, &to_dead).await.unwrap();
    }
    let mut living = delivery(&alice, &app, "https://living.example");
    queue(&store, &living).await.unwrap();
    let own = living.id;
    living.id = Uuid::new_v4();
    living.next_attempt_at = Some(LATER);
    queue(&store, &living).await.unwrap();

    let all = due(&store, 100, 100).await;
    assert_eq!(all.len(), 21, "one is not due yet");
    let fair = due(&store, 2, 100).await;
    assert_eq!(fair.len(), 3);
    assert!(fair.contains(&own));
    assert_eq!(due(&store, 2, 1).await.len(), 1);
}

async fn what_was_settled_is_due_no_more(store: Store) {
    let (alice, app) = plant(&store).await;
    let deliveries = [(); 3].map(|()| delivery(&alice, &app, "https://app.example"));
    let [delivered, failed, tried] = deliveries.clone().map(|delivery| delivery.id);
    for delivery in &deliveries {
        queue(&store, delivery).await.unwrap();
    }
    for (id, verdict, status, was_open) in [
        (tried, Verdict::Later, "500", true),
        (delivered, Verdict::Delivered, "200", true),
        (delivered, Verdict::Delivered, "200", false),
        (delivered, Verdict::Later, "500", false),
        (failed, Verdict::Refused, "400", true),
        (failed, Verdict::Delivered, "200", false),
    ] {
        let noted = commit!(store, |db| logout_deliveries::note(
            db, id, verdict, status, LATER
        ));
        assert_eq!(noted.unwrap(), was_open, "{verdict:?} {status}");
    }
    let done = commit!(store, |db| logout_deliveries::claim(db, failed, 0, LATER));
    assert!(!done.unwrap(), "it is over");
    assert_eq!(due(&store, 9, 9).await, [tried]);
    for shown in listed(&store, &app).await {
        let (status, delivered_at, failed_at) = match shown.id {
            id if id == delivered => ("200", Some(LATER), None),
            id if id == failed => ("400", None, Some(LATER)),
            _ => ("500", None, None),
        };
        assert_eq!(shown.last_status.as_deref(), Some(status));
        assert_eq!(shown.delivered_at, delivered_at);
        assert_eq!(shown.failed_at, failed_at);
    }
}

async fn deliveries_outlive_their_user_and_not_their_client(store: Store) {
    let (alice, app) = plant(&store).await;
    let queued = delivery(&alice, &app, "https://app.example");
    queue(&store, &queued).await.unwrap();
    let id = alice.id;
    assert!(commit!(store, |db| users::delete(db, id)).unwrap());
    assert_eq!(listed(&store, &app).await.len(), 1);
    let id = app.id.clone();
    assert!(commit!(store, |db| clients::delete(db, &id)).unwrap());
    assert!(listed(&store, &app).await.is_empty());
}

async fn deliveries_are_swept_away_after_a_week(store: Store) {
    let (alice, app) = plant(&store).await;
    let queued = delivery(&alice, &app, "https://app.example");
    queue(&store, &queued).await.unwrap();
    let week = std::time::Duration::from_hours(7 * 24);
    let second = std::time::Duration::from_secs(1);
    let before = NOW.after(week).before(second);
    assert_eq!(store.purge_expired(before).await.unwrap(), 0);
    assert_eq!(store.purge_expired(NOW.after(week)).await.unwrap(), 1);
}
