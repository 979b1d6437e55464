//! Routes that do nothing but answer: what HTTP alone costs.

use std::convert::Infallible;

use actix_web::http::header;
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::Result;

/// Serves `/{length}`: that many bytes of JSON, which were ready before.
pub(crate) fn serve(port: u16) -> Result<()> {
    let all = Bytes::from(vec![b'7'; LONGEST]);
    let server = move || {
        let all = all.clone();
        let answer = move |length: web::Path<usize>| {
            let body = all.slice(..length.into_inner().min(LONGEST));
            async move {
                let mut response = HttpResponse::Ok();
                response
                    .content_type("application/json")
                    .insert_header((header::CACHE_CONTROL, "public, max-age=300"));
                Ok::<_, Infallible>(response.body(body))
            }
        };
        App::new().route("/{length}", web::get().to(answer))
    };
    let server = HttpServer::new(server)
        .workers(1)
        .bind(("127.0.0.1", port))?;
    Ok(actix_web::rt::System::new().block_on(server.run())?)
}

const LONGEST: usize = 1 << 16;
