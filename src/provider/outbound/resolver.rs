//! Names into addresses, of which only those are told that may be connected to.
//!
//! **Invariant:** the addresses that are checked here are those that are connected to. There is no
//! second look-up between, in which a name could change.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::target::{Reach, is_within_reach};

/// Looks a name up.
#[derive(Clone)]
pub struct Lookup(Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>);

impl Lookup {
    /// The machine's own way to look names up.
    #[must_use]
    pub fn system() -> Self {
        Self::from_source(|name| {
            async move {
                let found = tokio::net::lookup_host((name, 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            }
            .boxed()
        })
    }

    /// Another way.
    #[must_use]
    pub fn from_source(
        source: impl Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(source))
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lookup")
    }
}

/// A name has addresses, and none of them may be connected to.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the host is not on the Internet")]
pub(super) struct OutOfReach;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A [`Lookup`] that drops what is out of reach.
pub(super) struct Guard {
    pub(super) lookup: Lookup,
    pub(super) reach: Reach,
    pub(super) allows_loopback: bool,
}

impl Guard {
    /// The addresses of a name that may be connected to.
    pub(super) fn find(&self, name: String) -> BoxFuture<'static, Result<Vec<IpAddr>, BoxError>> {
        let found = (self.lookup.0)(name);
        let (reach, allows_loopback) = (self.reach, self.allows_loopback);
        async move {
            let mut addresses = found.await?;
            let is_known = !addresses.is_empty();
            if reach == Reach::Internet {
                addresses.retain(|address| is_within_reach(*address, allows_loopback));
            }
            if is_known && addresses.is_empty() {
                return Err(OutOfReach.into());
            }
            Ok(addresses)
        }
        .boxed()
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.find(name.as_str().to_owned());
        async move {
            let addresses = found.await?.into_iter();
            // The port 0 is replaced by the URI's.
            let addresses: Addrs = Box::new(addresses.map(|address| (address, 0).into()));
            Ok(addresses)
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    async fn resolve(guard: &Guard) -> Result<Vec<String>, String> {
        let resolved = guard.resolve("client.example".parse().unwrap()).await;
        let addresses = resolved.map_err(|error| error.to_string())?;
        Ok(addresses.map(|address| address.to_string()).collect())
    }

    fn answers(texts: &'static [&'static [&'static str]]) -> Lookup {
        let asked = AtomicUsize::new(0);
        Lookup::from_source(move |_| {
            let turn = asked.fetch_add(1, Ordering::SeqCst) % texts.len();
            let addresses = texts[turn].iter().map(|text| text.parse().unwrap());
            let addresses = Ok(addresses.collect());
            async move { addresses }.boxed()
        })
    }

    #[tokio::test]
    async fn addresses_out_of_reach_are_not_told() {
        let mixed: &[&str] = &["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111", "127.0.0.1"];
        for (reach, allows_loopback, expected) in [
            (
                Reach::Internet,
                false,
                vec!["8.8.8.8:0", "[2606:4700::1111]:0"],
            ),
            (
                Reach::Internet,
                true,
                vec!["8.8.8.8:0", "[::1]:0", "[2606:4700::1111]:0", "127.0.0.1:0"],
            ),
            (
                Reach::Anywhere,
                false,
                vec![
                    "10.0.0.1:0",
                    "8.8.8.8:0",
                    "[::1]:0",
                    "[2606:4700::1111]:0",
                    "127.0.0.1:0",
                ],
            ),
        ] {
            let lookup = Lookup::from_source(move |_| {
                let addresses = mixed.iter().map(|text| text.parse().unwrap()).collect();
                async move { Ok(addresses) }.boxed()
            });
            let guard = Guard {
                lookup,
                reach,
                allows_loopback,
            };
            assert_eq!(resolve(&guard).await.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn a_name_that_changes_is_judged_each_time() {
        let guard = Guard {
            lookup: answers(&[&["8.8.8.8"], &["127.0.0.1"]]),
            reach: Reach::Internet,
            allows_loopback: false,
        };
        assert_eq!(resolve(&guard).await.unwrap(), ["8.8.8.8:0"]);
        let refused = resolve(&guard).await.unwrap_err();
        assert_eq!(refused, OutOfReach.to_string());
    }
}
