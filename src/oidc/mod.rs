//! The vocabulary of OAuth 2.0 and OpenID Connect, and every decision of the protocol.
//!
//! **Invariant:** no IO here and no clock. Every function is total over its arguments; an instant
//! is an argument.

pub mod acr;
pub mod authority;
pub mod authorization_decision;
pub mod authorization_request;
pub mod authorization_response;
pub mod claims;
pub mod claims_request;
pub mod client;
pub mod client_assertion;
pub mod client_authentication;
pub mod client_authentication_method;
pub mod client_keys;
pub mod client_metadata;
pub mod consent;
pub mod device_authorization;
pub mod error;
pub mod grant;
pub mod grant_type;
pub mod initial_access_token;
pub mod issuer;
pub mod jwks;
pub mod jws_algorithm;
pub mod jwt_claims;
pub mod logout;
pub mod logout_token;
pub mod logout_uri;
pub mod metadata;
pub mod parameters;
pub mod password;
pub mod pkce;
pub mod policy;
pub mod prompt;
pub mod pushed_authorization_request;
pub mod redirect_uri;
pub mod registration;
pub mod response_mode;
pub mod response_type;
pub mod scope;
pub mod secret;
pub mod self_registration;
pub mod session;
pub mod session_state;
pub mod signing_algorithm;
pub mod timestamp;
pub mod token_exchange;
pub mod token_request;
pub mod token_response;
pub mod transaction;
pub mod user;
pub mod user_claims;
pub mod web_uri;
pub mod webfinger;
pub mod workload_identity;
