//! What the demo relying party knows of each browser, in memory.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::dev::pages::demo::ApiResult;
use crate::oidc::secret::Digest;

use super::relying_party::{Departure, Tokens};

/// What is known of one browser.
#[derive(Debug, Default)]
pub struct DemoSession {
    /// The sign-ins that were begun, one a tab, the latest last.
    pub departures: VecDeque<Departure>,
    /// What the last one gave.
    pub tokens: Option<Tokens>,
    /// What the demo API answered last.
    pub result: Option<ApiResult>,
    /// A sentence for the next page about what has just happened.
    pub notice: Option<String>,
    /// The state of the sign-out that is under way.
    pub farewell: Option<String>,
}

/// The sessions by the digests of their cookies, the oldest first.
///
/// **Invariant:** the lock is held for the length of a closure, never across an await.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<VecDeque<(Digest, DemoSession)>>);

impl Sessions {
    /// Lets `change` see the session of a cookie; `None` if there is none.
    pub fn with<T>(&self, cookie: &str, change: impl FnOnce(&mut DemoSession) -> T) -> Option<T> {
        let digest = Digest::of(cookie);
        let mut sessions = self.lock();
        let mut own = sessions.iter_mut().filter(|(own, _)| *own == digest);
        own.next().map(|(_, session)| change(session))
    }

    /// Begins a session. Of too many the oldest ends.
    pub fn insert(&self, cookie: &str, session: DemoSession) {
        let mut sessions = self.lock();
        if sessions.len() >= MOST {
            sessions.pop_front();
        }
        sessions.push_back((Digest::of(cookie), session));
    }

    /// Ends a session.
    pub fn remove(&self, cookie: &str) -> Option<DemoSession> {
        let digest = Digest::of(cookie);
        let mut sessions = self.lock();
        let position = sessions.iter().position(|(own, _)| *own == digest)?;
        sessions.remove(position).map(|(_, session)| session)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Digest, DemoSession)>> {
        // A session is whole at every moment, so a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DemoSession {
    /// Keeps a sign-in that was begun; of too many the oldest is given up.
    pub fn depart(&mut self, departure: Departure) {
        if self.departures.len() >= MOST_DEPARTURES {
            self.departures.pop_front();
        }
        self.departures.push_back(departure);
    }

    /// Takes the sign-in with this state: it can be finished once.
    pub fn take_departure(&mut self, state: &str) -> Option<Departure> {
        let mut departures = self.departures.iter();
        let position = departures.position(|departure| departure.state == state)?;
        self.departures.remove(position)
    }
}

const MOST: usize = 1000;
const MOST_DEPARTURES: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_sessions_the_oldest_ends() {
        let sessions = Sessions::default();
        for number in 0..=MOST {
            sessions.insert(&number.to_string(), DemoSession::default());
        }
        assert!(sessions.with("0", |_| ()).is_none());
        assert!(sessions.with("1", |_| ()).is_some());
        assert!(sessions.remove(&MOST.to_string()).is_some());
        assert!(sessions.remove(&MOST.to_string()).is_none());
    }
}
