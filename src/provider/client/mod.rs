//! What clients and APIs ask of the provider, server to server.

pub mod access_token;
pub mod client_authentication;
pub mod client_id_metadata;
pub mod device_authorization;
pub mod dpop;
pub mod introspection;
pub mod protected_response;
pub mod pushed_authorization_request;
pub mod registration;
mod registration_throttle;
mod request_object;
pub mod revocation;
pub(in crate::provider) mod sector_identifier;
pub mod signed_by_client;
pub mod token;
pub mod userinfo;
