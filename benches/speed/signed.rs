//! What clients sign for each request: assertions by which they authenticate, and proofs that they
//! hold a key.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyfob::oidc::metadata::path;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::connection::{Connection, post};
use crate::load::Script;
use crate::seeds::{Client, REDIRECT_URI};
use crate::sign_in::CHALLENGE;

/// A client's P-256 key.
#[derive(Debug)]
pub(crate) struct SigningKey(EcdsaKeyPair);

impl SigningKey {
    pub(crate) fn new() -> Result<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        Ok(Self(pair))
    }

    /// The public half.
    pub(crate) fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        let [x, y] = [&point[1..33], &point[33..]].map(|it| URL_SAFE_NO_PAD.encode(it));
        json!({"kty": "EC", "crv": "P-256", "x": x, "y": y})
    }

    fn sign(&self, header: &Value, claims: &Value) -> Result<String> {
        let parts = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let message = parts.join(".");
        let signature = self.0.sign(&SystemRandom::new(), message.as_bytes())?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// One kind of request over and over, each signed anew; that is not measured.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) client: Arc<Client>,
    pub(crate) key: Arc<SigningKey>,
    pub(crate) issuer: String,
    pub(crate) kind: Kind,
}

/// What is requested, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// A token of the client's own, with `private_key_jwt`.
    ClientCredentials,
    /// That an authorization request be kept (RFC 9126), with `private_key_jwt`.
    PushedRequest,
    /// A token of the client's own that is bound to a key (RFC 9449), with its secret.
    BoundToken,
}

impl Signed {
    fn request(&self) -> Result<Vec<u8>> {
        Ok(match self.kind {
            Kind::ClientCredentials => {
                let form = format!("grant_type=client_credentials&{}", self.assertion()?);
                post(path::TOKEN, "", &form)
            }
            Kind::PushedRequest => {
                let form = format!(
                    "response_type=code&client_id={}&redirect_uri={REDIRECT_URI}\
                     &scope=openid%20profile%20email&state=0123456789abcdef&nonce=fedcba9876543210\
                     &code_challenge={CHALLENGE}&code_challenge_method=S256&{}",
                    self.client.id,
                    self.assertion()?
                );
                post(path::PUSHED_AUTHORIZATION_REQUEST, "", &form)
            }
            Kind::BoundToken => {
                let headers = format!("{}dpop: {}\r\n", self.client.authorization, self.proof()?);
                post(path::TOKEN, &headers, "grant_type=client_credentials")
            }
        })
    }

    /// The parameters by which the client authenticates (RFC 7523 section 2.2).
    fn assertion(&self) -> Result<String> {
        let header = json!({"alg": "ES256"});
        let now = now()?;
        let claims = json!({
            "iss": self.client.id,
            "sub": self.client.id,
            "aud": self.issuer,
            "iat": now,
            "exp": now + 60,
            "jti": Uuid::new_v4().to_string(),
        });
        Ok(format!(
            "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer\
             &client_assertion={}",
            self.key.sign(&header, &claims)?
        ))
    }

    fn proof(&self) -> Result<String> {
        let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.key.jwk()});
        let claims = json!({
            "htm": "POST",
            "htu": format!("{}{}", self.issuer, path::TOKEN),
            "iat": now()?,
            "jti": Uuid::new_v4().to_string(),
        });
        self.key.sign(&header, &claims)
    }
}

impl Script for Signed {
    async fn step(&mut self, connection: &mut Connection) -> Result<Option<Duration>> {
        let request = self.request()?;
        let status = match self.kind {
            Kind::PushedRequest => 201,
            Kind::ClientCredentials | Kind::BoundToken => 200,
        };
        let began_at = Instant::now();
        connection.send(&request).await?.expect(status)?;
        Ok(Some(began_at.elapsed()))
    }
}

fn now() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}
