//! The web: requests in, use cases of the provider, responses out.
//!
//! **Invariant:** no decision of the protocol is made here, and no database is named.

pub mod account_selection;
pub mod assets;
pub mod authorization;
pub mod bearer;
pub mod browser;
pub mod check_session;
pub mod client_certificate;
pub mod consent;
pub mod cors;
pub mod device;
pub mod device_authorization;
pub mod discovery;
pub mod dpop;
pub mod error;
pub mod form;
pub mod front;
pub mod health;
pub mod introspection;
pub mod login;
pub mod logout;
pub mod page;
pub mod pages;
pub mod pushed_authorization_request;
pub mod registration;
pub mod revocation;
pub mod site;
pub mod token;
pub mod trace;
pub mod userinfo;
pub mod webfinger;
