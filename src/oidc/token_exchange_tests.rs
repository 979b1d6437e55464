//! What comes of exchanges, case by case.

use super::super::client_metadata::ClientMetadata;
use super::super::timestamp::Timestamp;
use super::*;

fn client(policy: Option<TokenExchangePolicy>) -> Client {
    Client {
        id: "gateway".parse().unwrap(),
        metadata: ClientMetadata {
            scope: Some("openid orders stock".parse().unwrap()),
            access_token_audience: vec!["https://orders.test".to_owned()],
            token_exchange: policy,
            ..ClientMetadata::default()
        },
        secret: None,
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
        disabled_at: None,
        self_registered_at: None,
    }
}

fn token(client_id: &str, audience: &str, scopes: &str) -> KnownToken {
    KnownToken {
        sub: "alice".to_owned(),
        client_id: client_id.to_owned(),
        audience: OneOrMany::One(audience.to_owned()),
        scopes: scopes.parse().unwrap(),
        actor: None,
    }
}

fn policy() -> TokenExchangePolicy {
    TokenExchangePolicy {
        subject_clients: vec!["shop".to_owned()],
        audience: vec!["https://stock.test".to_owned()],
        scope: "stock".parse().unwrap(),
        impersonation: true,
    }
}

/// What comes of an exchange where no APIs are registered.
fn decide(
    client: &Client,
    targets: Vec<String>,
    requested: Option<&Scopes>,
    subject: &KnownToken,
    actor: Option<&KnownToken>,
) -> Result<Exchange, ExchangeRefusal> {
    let apis = Apis::default();
    super::decide(client, &apis, targets, requested, subject, actor)
}

#[test]
fn a_client_exchanges_tokens_that_it_has_to_do_with() {
    use ExchangeRefusal::SubjectOfAnotherClient;
    for (policy, issued_to, audience, expected) in [
        (Some(policy()), "shop", "elsewhere", Ok(())),
        (Some(policy()), "gateway", "elsewhere", Ok(())),
        (Some(policy()), "other", "gateway", Ok(())),
        (
            Some(policy()),
            "other",
            "elsewhere",
            Err(SubjectOfAnotherClient),
        ),
        (None, "shop", "elsewhere", Err(SubjectOfAnotherClient)),
        (
            None,
            "shop",
            "gateway",
            Err(ExchangeRefusal::ImpersonationNotAllowed),
        ),
    ] {
        let subject = token(issued_to, audience, "openid orders");
        let decided = decide(&client(policy), Vec::new(), None, &subject, None);
        assert_eq!(decided.map(drop), expected, "{issued_to} {audience}");
    }
}

#[test]
fn a_client_gets_no_more_than_its_policy_allows() {
    use ExchangeRefusal::{ScopeNotAllowed, TargetNotAllowed};
    for (targets, requested, expected) in [
        (&[][..], None, Ok("openid orders")),
        (&["https://stock.test"], Some("stock"), Ok("stock")),
        (&["https://orders.test"], Some("orders"), Ok("orders")),
        (&["https://evil.test"], None, Err(TargetNotAllowed)),
        (
            &["https://stock.test", "https://evil.test"],
            None,
            Err(TargetNotAllowed),
        ),
        (&[], Some("email"), Err(ScopeNotAllowed)),
        (&[], Some("openid offline_access"), Err(ScopeNotAllowed)),
        (&[], Some("admin"), Err(ScopeNotAllowed)),
    ] {
        let subject = token("shop", "x", "openid orders offline_access email admin");
        let targets: Vec<_> = targets.iter().map(ToString::to_string).collect();
        let requested = requested.map(|scope: &str| scope.parse::<Scopes>().unwrap());
        let client = client(Some(policy()));
        let decided = decide(&client, targets.clone(), requested.as_ref(), &subject, None);
        let decided = decided.map(|exchange| {
            assert_eq!(exchange.audience, targets);
            exchange.scopes.to_string()
        });
        let expected = expected.map(str::to_owned);
        assert_eq!(decided, expected, "{targets:?} {requested:?}");
    }
}

#[test]
fn who_acts_is_remembered_in_order_and_not_without_end() {
    let delegating = TokenExchangePolicy {
        impersonation: false,
        ..policy()
    };
    let client = client(Some(delegating));
    let mut subject = token("shop", "x", "orders");
    let own = KnownToken {
        sub: "gateway".to_owned(),
        ..token("gateway", "x", "")
    };
    for length in 1..=MOST_ACTORS {
        let exchange = decide(&client, Vec::new(), None, &subject, Some(&own)).unwrap();
        let actor = exchange.actor.unwrap();
        assert_eq!(actor.length(), length);
        assert_eq!(actor.act.as_deref(), subject.actor.as_ref());
        assert_eq!((actor.sub.as_str(), &actor.client_id), ("gateway", &None));
        subject.actor = Some(actor);
    }
    let longer = decide(&client, Vec::new(), None, &subject, Some(&own));
    assert_eq!(longer, Err(ExchangeRefusal::TooManyActors));

    let person = token("gateway", "x", "");
    subject.actor = None;
    let exchange = decide(&client, Vec::new(), None, &subject, Some(&person)).unwrap();
    assert_eq!(
        serde_json::to_string(&exchange.actor).unwrap(),
        r#"{"sub":"alice","client_id":"gateway"}"#
    );
    let stranger = token("shop", "x", "");
    let refused = decide(&client, Vec::new(), None, &subject, Some(&stranger));
    assert_eq!(refused, Err(ExchangeRefusal::ActorOfAnotherClient));
}

#[test]
fn who_impersonates_does_not_make_earlier_actors_forgotten() {
    let before = Actor {
        sub: "gateway".to_owned(),
        client_id: None,
        act: None,
    };
    let subject = KnownToken {
        actor: Some(before.clone()),
        ..token("shop", "x", "orders")
    };
    let decided = decide(&client(Some(policy())), Vec::new(), None, &subject, None);
    assert_eq!(decided.unwrap().actor, Some(before));
}

#[test]
fn what_is_no_exchange_is_told_apart() {
    use TokenExchangeRequestError as Error;
    const SUBJECT: &str =
        "subject_token=t&subject_token_type=urn:ietf:params:oauth:token-type:access_token";
    for (body, expected) in [
        ("", Ok(())),
        ("&audience=a&audience=b&resource=https://a.test/b?c", Ok(())),
        (
            "&requested_token_type=urn:ietf:params:oauth:token-type:access_token",
            Ok(()),
        ),
        (
            "&requested_token_type=urn:ietf:params:oauth:token-type:refresh_token",
            Err(Error::UnsupportedTokenType("requested_token_type")),
        ),
        (
            "&requested_token_type=urn:ietf:params:oauth:token-type:id_token",
            Err(Error::UnsupportedTokenType("requested_token_type")),
        ),
        ("&actor_token=a", Err(Error::Missing("actor_token_type"))),
        (
            "&actor_token_type=urn:ietf:params:oauth:token-type:jwt",
            Err(Error::ActorTokenMissing),
        ),
        (
            "&actor_token=a&actor_token_type=urn:ietf:params:oauth:token-type:saml2",
            Err(Error::UnsupportedTokenType("actor_token_type")),
        ),
        ("&resource=/relative", Err(Error::InvalidTarget)),
        ("&resource=https://a.test/%23b", Err(Error::InvalidTarget)),
        (
            "&subject_token=u",
            Err(Error::Repeated(Repeated("subject_token"))),
        ),
    ] {
        let body = Parameters::parse(&format!("{SUBJECT}{body}")).unwrap();
        let parsed = TokenExchangeRequest::parse(&body, None);
        assert_eq!(parsed.map(drop), expected, "{body:?}");
    }
    for (body, expected) in [
        ("", Error::Missing("subject_token")),
        ("subject_token=t", Error::Missing("subject_token_type")),
        (
            "subject_token=t&subject_token_type=urn:ietf:params:oauth:token-type:refresh_token",
            Error::UnsupportedTokenType("subject_token_type"),
        ),
    ] {
        let body = Parameters::parse(body).unwrap();
        let parsed = TokenExchangeRequest::parse(&body, None);
        assert_eq!(parsed.map(drop), Err(expected), "{body:?}");
    }
}
