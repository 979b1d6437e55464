//! The page for what cannot be told to a client.

use askama::Template;

use super::Layout;
use super::redirect_uris::{NEAREST, RedirectUris};

/// Tells the End-User what went wrong, in fixed words: nothing of the request is repeated but a
/// redirect URI, which is compared with the registered ones.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// What went wrong.
    pub kind: ErrorKind,
    /// How the requested redirect URI differs from the registered ones, where that is the matter.
    pub redirect_uris: Option<RedirectUris<'a>>,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ErrorKind {
    /// The `client_id` is missing or nobody's.
    UnknownClient,
    /// The client exists and has been disabled.
    DisabledClient,
    /// There is no `redirect_uri`, and the client has more than one.
    RedirectUriMissing,
    /// The `redirect_uri` is not one of the client's.
    RedirectUriNotRegistered,
    /// The `request_uri` is nobody's, or another client's.
    RequestUnknown,
    /// A parameter was given twice or cannot be read.
    MalformedRequest,
    /// The transaction is over, unknown, or another browser's.
    TransactionUnknown,
    /// The form's token is missing, old, or another browser's.
    FormExpired,
    /// The logout request names a client, a hint or an address that do not belong together.
    LogoutRefused,
    /// The End-User may not use the client.
    AccessDenied,
    /// There is no such page.
    NotFound,
    /// The page exists and is not for this method.
    MethodNotAllowed,
    /// The request is larger than any honest one.
    TooLarge,
    /// Too many requests from this address.
    TooManyRequests,
    /// Something failed that should not.
    Internal,
    /// Too busy, or the database is away.
    Unavailable,
}

impl ErrorKind {
    /// Every one of them.
    pub const ALL: &[Self] = &[
        Self::UnknownClient,
        Self::DisabledClient,
        Self::RedirectUriMissing,
        Self::RedirectUriNotRegistered,
        Self::RequestUnknown,
        Self::MalformedRequest,
        Self::TransactionUnknown,
        Self::FormExpired,
        Self::LogoutRefused,
        Self::AccessDenied,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::TooLarge,
        Self::TooManyRequests,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The HTTP status that goes with it.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::UnknownClient
            | Self::DisabledClient
            | Self::RedirectUriMissing
            | Self::RedirectUriNotRegistered
            | Self::RequestUnknown
            | Self::MalformedRequest
            | Self::TransactionUnknown
            | Self::LogoutRefused => 400,
            Self::FormExpired | Self::AccessDenied => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooLarge => 413,
            Self::TooManyRequests => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    /// The page's heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::UnknownClient => "Unknown application",
            Self::DisabledClient => "This application is switched off",
            Self::RedirectUriMissing => "The return address is missing",
            Self::RedirectUriNotRegistered => "This return address is not registered",
            Self::RequestUnknown => "This request is not known here",
            Self::MalformedRequest => "This request makes no sense",
            Self::TransactionUnknown => "This sign-in is no longer open",
            Self::FormExpired => "This page has expired",
            Self::LogoutRefused => "This sign-out request is not valid",
            Self::AccessDenied => "You have no access to this application",
            Self::NotFound => "Page not found",
            Self::MethodNotAllowed => "Not like this",
            Self::TooLarge => "Too much at once",
            Self::TooManyRequests => "Too many requests",
            Self::Internal => "Something went wrong",
            Self::Unavailable => "Not available right now",
        }
    }

    /// What happened.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::UnknownClient => {
                "The application that sent you here is not registered with this sign-in service."
            }
            Self::DisabledClient => {
                "An administrator has switched off signing in to this application."
            }
            Self::RedirectUriMissing => {
                "The application did not say where to send you after signing in (redirect_uri)."
            }
            Self::RedirectUriNotRegistered => {
                "The application asked to send you to an address (redirect_uri) that is not \
                 registered for it, so you were not sent there."
            }
            Self::RequestUnknown => {
                "The application sent you here with a request (request_uri) that is unknown, has \
                 expired long ago, or is another application's."
            }
            Self::MalformedRequest => {
                "The application sent a request with a parameter that is repeated or cannot be \
                 read."
            }
            Self::TransactionUnknown => {
                "It was finished already, took too long, or was started in another browser."
            }
            Self::FormExpired => {
                "The form you sent was too old or did not come from this browser. Nothing was \
                 changed."
            }
            Self::LogoutRefused => {
                "The application asked to sign you out in a way that is not registered for it. \
                 You are still signed in."
            }
            Self::AccessDenied => "Your account is not among those that may use it.",
            Self::NotFound => "There is nothing at this address.",
            Self::MethodNotAllowed => "This address does not answer requests of this kind.",
            Self::TooLarge => "The request was larger than this service accepts.",
            Self::TooManyRequests => "Too many requests came from your network in a short time.",
            Self::Internal => "The mistake is on our side. It has been written to the log.",
            Self::Unavailable => "The sign-in service is busy or being restarted.",
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::UnknownClient | Self::RedirectUriMissing | Self::MalformedRequest => {
                "Go back and try again. If it happens again, tell whoever runs the application."
            }
            Self::RedirectUriNotRegistered => {
                "Whoever runs the application has to register the address, letter by letter."
            }
            Self::DisabledClient | Self::AccessDenied => {
                "Ask an administrator if you think you should have access."
            }
            Self::RequestUnknown | Self::TransactionUnknown | Self::FormExpired => {
                "Go back to the application and start signing in from there."
            }
            Self::LogoutRefused | Self::MethodNotAllowed => {
                "Go back to the application you came from."
            }
            Self::NotFound => "Check the address, or go back to where you came from.",
            Self::TooLarge => "Go back and try again with less.",
            Self::TooManyRequests => "Wait a minute, then try again.",
            Self::Internal | Self::Unavailable => {
                "Try again in a moment. If it happens again, tell an administrator the error id."
            }
        }
    }
}
