//! Clients and their secrets.

use keyfob::oidc::client::{ClientId, ClientSecrets};
use keyfob::oidc::response_type::{ResponseType, ResponseTypes};
use keyfob::oidc::signing_algorithm::SigningAlgorithm;
use keyfob::store::{Store, clients, grants};

use crate::fixture::{
    LATER, MUCH_LATER, NOW, Parties, client, client_id, commit, digest, issue_code,
    issue_refresh_token, nothing_is_left, parties, race, reader,
};

conformance! {
    a_client_is_found_as_it_was_registered,
    registering_a_client_again_replaces_it_and_keeps_its_age,
    a_client_is_not_changed_by_who_has_not_seen_the_last_change,
    the_front_channel_response_types_are_those_of_enabled_clients,
    the_protection_of_userinfo_is_that_of_the_client_as_it_is,
    a_rotated_secret_leaves_the_one_before_for_a_while,
    deleting_a_client_ends_everything_issued_to_it,
    clients_are_found_by_what_their_metadata_mentions,
    a_registration_is_found_by_its_own_token_alone,
    a_registration_is_replaced_once_for_each_time_it_was_read,
}

async fn a_client_is_found_as_it_was_registered(store: Store) {
    let app = client("app");
    let again = app.clone();
    assert!(commit!(store, |db| clients::insert(db, &app)).unwrap());
    assert!(!commit!(store, |db| clients::insert(db, &again)).unwrap());
    let mut public = client("public");
    public.secret = None;
    assert!(commit!(store, |db| clients::insert(db, &public)).unwrap());

    let mut db = reader(&store).await;
    let found = clients::find(&mut db, &client_id("app"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.name(), "The app");
    assert!(found.metadata.redirect_uris[0].matches("https://app.example/callback"));
    assert!(
        found
            .secret
            .unwrap()
            .accept(&digest("a client's secret"), NOW)
    );
    let listed = clients::list(&mut db, None, 10).await.unwrap();
    let ids: Vec<_> = listed.iter().map(|client| client.id.as_str()).collect();
    assert_eq!(ids, ["app", "public"]);
    assert!(listed[1].secret.is_none());
    let rest = clients::list(&mut db, Some(&client_id("app")), 10)
        .await
        .unwrap();
    assert_eq!(rest.len(), 1);
}

async fn registering_a_client_again_replaces_it_and_keeps_its_age(store: Store) {
    let app = client("app");
    let first = commit!(store, |db| clients::upsert(db, &app)).unwrap();
    assert_eq!(first, NOW);

    let mut renamed = client("app");
    renamed.metadata.client_name = Some("Another".to_owned());
    (renamed.created_at, renamed.updated_at) = (LATER, LATER);
    let first = commit!(store, |db| clients::upsert(db, &renamed)).unwrap();
    assert_eq!(first, NOW);

    let found = find_client(&store, "app").await;
    assert_eq!(found.name(), "Another");
    assert_eq!((found.created_at, found.updated_at), (NOW, LATER));
}

async fn find_client(store: &Store, id: &str) -> keyfob::oidc::client::Client {
    let mut db = reader(store).await;
    clients::find(&mut db, &client_id(id))
        .await
        .unwrap()
        .unwrap()
}

async fn the_protection_of_userinfo_is_that_of_the_client_as_it_is(store: Store) {
    let Parties { client, grant, .. } = parties(&store).await;
    let stored = async |expected: Option<SigningAlgorithm>| {
        let mut db = reader(&store).await;
        let live = grants::find_live(&mut db, grant.id, None, NOW).await;
        assert_eq!(live.unwrap().unwrap().userinfo.signed_by, expected);
    };
    stored(None).await;
    let mut signed = client;
    for (algorithm, updated_at) in [(Some(SigningAlgorithm::ES256), NOW), (None, LATER)] {
        signed.metadata.userinfo_signed_response_alg = algorithm;
        let (id, metadata) = (signed.id.clone(), signed.metadata.clone());
        let update = commit!(store, |db| {
            clients::update_metadata(db, &id, updated_at, &metadata, LATER)
        });
        assert!(update.unwrap());
        stored(algorithm).await;
    }
    signed.metadata.userinfo_signed_response_alg = Some(SigningAlgorithm::EdDsa);
    let upserted = signed.clone();
    commit!(store, |db| clients::upsert(db, &upserted)).unwrap();
    stored(Some(SigningAlgorithm::EdDsa)).await;
    signed.metadata.userinfo_signed_response_alg = None;
    let (replaced, read_at) = (signed.clone(), signed.updated_at);
    let replacement = commit!(store, |db| clients::replace(db, &replaced, read_at, LATER));
    assert!(replacement.unwrap());
    stored(None).await;
}

async fn the_front_channel_response_types_are_those_of_enabled_clients(store: Store) {
    let offered = async || {
        let mut db = reader(&store).await;
        let all = clients::list_front_channel_response_types(&mut db).await;
        all.unwrap().0
    };
    let with = |id: &str, types: &[ResponseType]| {
        let mut client = client(id);
        client.metadata.response_types = ResponseTypes(types.to_vec());
        client
    };
    let code = with("code", &[ResponseType::Code]);
    commit!(store, |db| clients::insert(db, &code)).unwrap();
    assert_eq!(offered().await, []);

    let one = with("one", &[ResponseType::Code, ResponseType::CodeToken]);
    let two = [
        ResponseType::CodeToken,
        ResponseType::IdToken,
        ResponseType::Code,
    ];
    let two = with("two", &two);
    commit!(store, |db| clients::insert(db, &one)).unwrap();
    commit!(store, |db| clients::upsert(db, &two)).unwrap();
    let both = [ResponseType::IdToken, ResponseType::CodeToken];
    assert_eq!(offered().await, both);

    let id = client_id("two");
    commit!(store, |db| clients::disable(db, &id, NOW)).unwrap();
    assert_eq!(offered().await, [ResponseType::CodeToken]);

    let id = client_id("one");
    let metadata = client("one").metadata;
    commit!(store, |db| clients::update_metadata(
        db, &id, NOW, &metadata, LATER
    ))
    .unwrap();
    assert_eq!(offered().await, []);

    let again = with("two", &[ResponseType::CodeIdToken]);
    commit!(store, |db| clients::upsert(db, &again)).unwrap();
    assert_eq!(offered().await, [ResponseType::CodeIdToken]);
}

async fn a_client_is_not_changed_by_who_has_not_seen_the_last_change(store: Store) {
    let app = client("app");
    commit!(store, |db| clients::insert(db, &app)).unwrap();

    // All in the same second.
    let outcomes = race(&store, |store, number| async move {
        let mut metadata = client("app").metadata;
        metadata.client_name = Some(number.to_string());
        commit!(store, |db| clients::update_metadata(
            db,
            &client_id("app"),
            NOW,
            &metadata,
            NOW
        ))
        .unwrap()
    })
    .await;
    let winner = outcomes.iter().position(|it| *it).unwrap();
    assert_eq!(outcomes.iter().filter(|it| **it).count(), 1);
    let found = find_client(&store, "app").await;
    assert_eq!(found.name(), winner.to_string());
    assert!(found.updated_at > NOW);
}

async fn a_rotated_secret_leaves_the_one_before_for_a_while(store: Store) {
    let app = client("app");
    let id: ClientId = app.id.clone();
    commit!(store, |db| clients::insert(db, &app)).unwrap();
    let unknown = commit!(store, |db| clients::rotate_secret(
        db,
        &client_id("none"),
        &digest("new"),
        LATER,
        NOW
    ));
    assert!(!unknown.unwrap());
    let rotated = commit!(store, |db| clients::rotate_secret(
        db,
        &id,
        &digest("new"),
        LATER,
        NOW
    ));
    assert!(rotated.unwrap());

    let secrets: ClientSecrets = find_client(&store, "app").await.secret.unwrap();
    assert!(secrets.accept(&digest("new"), MUCH_LATER));
    assert!(secrets.accept(&digest("a client's secret"), NOW));
    assert!(!secrets.accept(&digest("a client's secret"), LATER));

    let id = client_id("app");
    assert!(commit!(store, |db| clients::disable(db, &id, NOW)).unwrap());
    assert!(!find_client(&store, "app").await.is_enabled());
    let id = client_id("app");
    assert!(commit!(store, |db| clients::enable(db, &id)).unwrap());
    assert!(find_client(&store, "app").await.is_enabled());
}

async fn deleting_a_client_ends_everything_issued_to_it(store: Store) {
    let Parties { client, grant, .. } = parties(&store).await;
    issue_code(&store, &grant, "code").await;
    issue_refresh_token(&store, &grant, "token").await;

    assert!(commit!(store, |db| clients::delete(db, &client.id)).unwrap());
    nothing_is_left(&store).await;
}

async fn a_registration_is_found_by_its_own_token_alone(store: Store) {
    for id in ["one", "other"] {
        let mut app = client(id);
        app.self_registered_at = Some(NOW);
        commit!(store, |db| clients::insert(db, &app)).unwrap();
        let token = digest(&format!("token of {id}"));
        let id = client_id(id);
        let set = commit!(store, |db| clients::set_registration_token(db, &id, &token));
        assert!(set.unwrap());
    }
    let by_operator = client("by-operator");
    commit!(store, |db| clients::insert(db, &by_operator)).unwrap();
    let id = client_id("none");
    let set = commit!(store, |db| clients::set_registration_token(
        db,
        &id,
        &digest("x")
    ));
    assert!(!set.unwrap());

    let mut db = reader(&store).await;
    for (id, token, is_found) in [
        ("one", "token of one", true),
        ("other", "token of one", false),
        ("one", "token of other", false),
        ("by-operator", "token of one", false),
        ("none", "token of one", false),
    ] {
        let found =
            clients::find_by_registration_token(&mut db, &client_id(id), &digest(token)).await;
        let found = found.unwrap();
        assert_eq!(found.is_some(), is_found, "{id} {token}");
        let registered_at = found.and_then(|client| client.self_registered_at);
        assert_eq!(registered_at, is_found.then_some(NOW));
    }
}

async fn a_registration_is_replaced_once_for_each_time_it_was_read(store: Store) {
    let app = client("app");
    commit!(store, |db| clients::insert(db, &app)).unwrap();
    let outcomes = race(&store, |store, number| async move {
        let mut next = client("app");
        next.metadata.client_name = Some(number.to_string());
        next.secret = None;
        commit!(store, |db| clients::replace(db, &next, NOW, NOW)).unwrap()
    })
    .await;
    assert_eq!(outcomes.iter().filter(|it| **it).count(), 1);
    let winner = outcomes.iter().position(|it| *it).unwrap();
    let found = find_client(&store, "app").await;
    assert_eq!(found.name(), winner.to_string());
    assert!(found.secret.is_none());
    assert!(found.updated_at > NOW);
}

async fn clients_are_found_by_what_their_metadata_mentions(store: Store) {
    for (id, uri) in [
        ("a", "https://ONE.example/cb"),
        ("b", "https://other.example/cb"),
        ("c", "https://one.example/100%25_x"),
    ] {
        let mut app = client(id);
        app.metadata.redirect_uris = vec![uri.parse().unwrap()];
        commit!(store, |db| clients::insert(db, &app)).unwrap();
    }
    let mut db = reader(&store).await;
    for (text, after, expected) in [
        ("One.example", None, &["a", "c"][..]),
        ("one.example", Some("a"), &["c"]),
        ("%25_", None, &["c"]),
        ("one_example", None, &[]),
        ("one%cb", None, &[]),
    ] {
        let after = after.map(client_id);
        let found = clients::list_mentioning(&mut db, text, after.as_ref(), 10).await;
        let found = found.unwrap();
        let ids: Vec<_> = found.iter().map(|client| client.id.as_str()).collect();
        assert_eq!(ids, expected, "{text}");
    }
    let first = clients::list_mentioning(&mut db, "example", None, 1).await;
    assert_eq!(first.unwrap().len(), 1);
}
