//! `keyfob dev`: a provider that is ready to be tried out, with a relying party and an API that
//! show what it is for. It may see everything, and nothing sees it; no rule is relaxed.

pub mod demo;
pub mod home;
pub mod master_key;
pub mod pages;
pub mod redirect_uris;
pub mod seeds;
pub mod start;
pub mod summary;

use actix_web::web::{Data, ServiceConfig, get, head, post};

pub use crate::cli::dev::Dev as Arguments;
use crate::provider::operator::Operator;

use demo::Demo;
use seeds::{SeededClient, SeededUser};

/// What a development server has beside its provider.
#[derive(Debug)]
pub struct Development {
    /// Who registers redirect URIs.
    pub operator: Operator,
    /// The clients that were seeded.
    pub clients: Vec<SeededClient>,
    /// The users that were seeded.
    pub users: Vec<SeededUser>,
    /// The app and the API that show what the tokens are for.
    pub demo: Demo,
}

impl Development {
    /// User names and passwords for the login page.
    fn users_to_show(&self) -> Vec<(String, String)> {
        let users = self.users.iter();
        users
            .map(|seeded| (seeded.user.username.to_string(), seeded.password.to_owned()))
            .collect()
    }
}

/// The addresses that only a development server has; `/` takes the place of the front page.
pub fn routes(app: &mut ServiceConfig, development: &Data<Development>) {
    app.app_data(development.clone())
        .route("/", get().to(home::get))
        .route("/", head().to(home::get))
        .route("", get().to(home::get))
        .route("", head().to(home::get))
        .route("/demo", get().to(demo::show))
        .route("/demo/login", get().to(demo::log_in))
        .route("/demo/callback", get().to(demo::callback))
        .route("/demo/call", post().to(demo::call))
        .route("/demo/refresh", post().to(demo::refresh))
        .route("/demo/logout", post().to(demo::log_out))
        .route("/demo/api", get().to(demo::api::get))
        .route("/dev/redirect-uris", post().to(redirect_uris::register));
}
