//! What a commit to SQLite waits for: the units of work that are on their way.
//!
//! A commit costs as much for one unit as for sixty: an fsync, and what every reader has cached.
//! On a busy server each had better wait a moment for others; on an idle one nobody shall wait.
//! So whoever will write soon says so early, and a commit waits only for those.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::unit_of_work::BATCH;

/// How many units are on their way, and whether to count again those that have come.
#[derive(Clone, Debug, Default)]
pub(super) struct Gathering(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    announced: AtomicUsize,
    count_again: Notify,
}

/// As long as this value lives, a commit waits a moment for the unit of work that it announces.
#[derive(Debug)]
pub struct Announcement(Option<Gathering>);

impl Gathering {
    /// Announces a unit.
    pub(super) fn announce(&self) -> Announcement {
        self.0.announced.fetch_add(1, Ordering::SeqCst);
        Announcement(Some(self.clone()))
    }

    /// Notes that one more unit has come, so that this many wait.
    pub(super) fn note(&self, waiting: usize) {
        if waiting >= self.expected() {
            self.0.count_again.notify_one();
        }
    }

    /// Waits until as many units wait as were announced, but no longer than a moment.
    pub(super) async fn complete(&self, waiting: impl Fn() -> usize) {
        let all = async {
            while waiting() < self.expected() {
                self.0.count_again.notified().await;
            }
        };
        // Those that are still missing come with the next commit.
        let _ = timeout(MOMENT, all).await;
    }

    fn expected(&self) -> usize {
        self.0.announced.load(Ordering::SeqCst).min(BATCH)
    }
}

impl Announcement {
    /// One that nobody waits for: on PostgreSQL every unit is committed alone.
    pub(super) fn idle() -> Self {
        Self(None)
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        if let Some(gathering) = &self.0 {
            gathering.0.announced.fetch_sub(1, Ordering::SeqCst);
            gathering.0.count_again.notify_one();
        }
    }
}

/// How long a commit waits at most: less than a person notices, and the time of a few signatures.
const MOMENT: Duration = Duration::from_millis(8);

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn nobody_is_waited_for_who_was_not_announced() {
        let gathering = Gathering::default();
        assert!(gathering.complete(|| 1).now_or_never().is_some());
        let own = gathering.announce();
        assert!(gathering.complete(|| 1).now_or_never().is_some());
        drop(own);
        assert_eq!(gathering.expected(), 0);
    }

    #[tokio::test]
    async fn whoever_was_announced_is_waited_for_until_all_have_come() {
        let gathering = Gathering::default();
        let _announced: Vec<_> = (0..3).map(|_| gathering.announce()).collect();
        let waiting = AtomicUsize::new(1);
        let mut complete = Box::pin(gathering.complete(|| waiting.load(Ordering::SeqCst)));
        assert!(complete.as_mut().now_or_never().is_none());
        for (count, is_complete) in [(2, false), (3, true)] {
            waiting.store(count, Ordering::SeqCst);
            gathering.note(count);
            let is_ready = complete.as_mut().now_or_never().is_some();
            assert_eq!(is_ready, is_complete, "{count} of 3");
        }
    }

    #[tokio::test]
    async fn whoever_gives_up_is_waited_for_no_longer() {
        let gathering = Gathering::default();
        let _own = gathering.announce();
        let other = gathering.announce();
        let mut complete = Box::pin(gathering.complete(|| 1));
        assert!(complete.as_mut().now_or_never().is_none());
        drop(other);
        assert!(complete.as_mut().now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_full_batch_waits_for_nobody_and_nobody_is_waited_for_in_vain() {
        let gathering = Gathering::default();
        let _announced: Vec<_> = (0..=BATCH).map(|_| gathering.announce()).collect();
        assert!(gathering.complete(|| BATCH).now_or_never().is_some());
        gathering.complete(|| 1).await;
    }
}
