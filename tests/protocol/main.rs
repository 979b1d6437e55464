//! What clients may ask for beyond the code flow, over HTTP against a running server, a file a
//! specification.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails, and says why"
)]
#![allow(
    clippy::too_many_lines,
    reason = "a table of requests is as long as it is"
)]
#![allow(
    dead_code,
    reason = "the assertions are shared with the security tests, and each binary uses its part"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "the tests live outside the server: their time is the machine's"
)]

#[path = "../security/assertions.rs"]
mod assertions;
#[path = "../support/mod.rs"]
mod support;

mod authorization_details;
mod certificate_binding;
mod claims_parameter;
mod client_assertions;
mod client_certificates;
mod client_id_metadata;
mod client_signing_keys;
mod device;
mod device_pages;
mod dpop;
mod dpop_binding;
mod encrypted_responses;
mod fapi2;
mod fapi2_message_signing;
mod jwks_cache;
mod jwt_bearer;
mod logout;
mod outbound;
mod pairwise_subjects;
mod protected_responses;
mod pushed_authorization_requests;
mod registered_apis;
mod registration;
mod registration_addresses;
mod registration_management;
mod request_objects;
mod resource_indicators;
mod response_types;
mod signed_responses;
mod signing_algorithms;
mod step_up;
mod token_exchange;
mod unchecked_clients;
mod webfinger;
