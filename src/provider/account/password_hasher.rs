//! Hashing passwords with argon2id, on threads of its own and a bounded number of them.
//!
//! A hash takes some 30 ms and 19 MiB, so it never runs on a worker of the web server, and no
//! login storm can take more memory than threads times 19 MiB. A thread keeps its memory between
//! hashes (a fifth faster than allocating it anew) and gives it back when it has had nothing to do
//! for a while.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use subtle::ConstantTimeEq as _;
use tokio::sync::oneshot;

use crate::oidc::password::Password;
use crate::oidc::policy::PasswordPolicy;
use crate::oidc::user::PasswordHash;
use crate::provider::random::Random;

/// Hashes and verifies passwords.
#[derive(Debug)]
pub struct PasswordHasher {
    pool: Arc<Pool>,
    params: Params,
    random: Random,
}

/// What came of a verification.
#[derive(Debug)]
pub struct Verification {
    /// Whether the password is the one that was hashed.
    pub is_correct: bool,
    /// A hash with today's parameters, where the stored one has others and the password is right.
    pub rehashed: Option<PasswordHash>,
}

/// Why a password was not hashed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum HashError {
    /// As many as allowed are waiting already.
    #[error("too many passwords are waiting to be hashed")]
    Busy,
    /// The parameters are out of argon2's range, or memory ran out.
    #[error("argon2 failed")]
    Argon2,
}

impl PasswordHasher {
    /// A hasher by `policy`, with salts from `random`. Threads start when there is work.
    pub fn new(policy: &PasswordPolicy, random: Random) -> Result<Self, HashError> {
        let params = Params::new(
            policy.memory_kib,
            policy.iterations,
            policy.parallelism,
            None,
        );
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            pool: Arc::new(Pool {
                queue: Mutex::default(),
                work: Condvar::new(),
                most_threads: policy.concurrency.unwrap_or(cores).max(1),
                most_jobs: policy.queue,
            }),
            params: params.map_err(|_| HashError::Argon2)?,
            random,
        })
    }

    /// Hashes `password` for storage.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash, HashError> {
        let params = self.params.clone();
        let salt = self.random.bytes();
        self.run(move |memory| hash(&params, &salt, password.expose(), memory))
            .await?
    }

    /// Whether `password` is the one that was hashed to `stored`.
    ///
    /// Without a stored hash, or a password that could be right, the answer is no, after the time
    /// that a hash takes: nobody can tell an unknown user from a wrong password by the clock.
    pub async fn verify(
        &self,
        stored: Option<PasswordHash>,
        password: Option<Password>,
    ) -> Result<Verification, HashError> {
        let today = self.params.clone();
        let salt: [u8; 16] = self.random.bytes();
        self.run(move |memory| {
            let (Some(stored), Some(password)) = (&stored, &password) else {
                let typed = password.as_ref().map_or("", Password::expose);
                hash(&today, &salt, typed, memory)?;
                return Ok(Verification {
                    is_correct: false,
                    rehashed: None,
                });
            };
            let is_correct = is_hash_of(stored, password.expose(), memory)?;
            let rehashed = if is_correct && !has_params(stored, &today) {
                Some(hash(&today, &salt, password.expose(), memory)?)
            } else {
                None
            };
            Ok(Verification {
                is_correct,
                rehashed,
            })
        })
        .await?
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, HashError> {
        let (answer, answered) = oneshot::channel();
        self.pool.submit(Box::new(move |memory| {
            // Whoever asked may have gone away; then nobody waits for the hash.
            if !answer.is_closed() {
                let _ = answer.send(work(memory));
            }
        }))?;
        answered.await.map_err(|_| HashError::Argon2)
    }
}

type Memory = Vec<Block>;
type Job = Box<dyn FnOnce(&mut Memory) + Send>;

struct Pool {
    queue: Mutex<Queue>,
    work: Condvar,
    most_threads: usize,
    most_jobs: usize,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

impl Pool {
    fn submit(self: &Arc<Self>, job: Job) -> Result<(), HashError> {
        let mut queue = self.lock();
        if queue.jobs.len() >= self.most_jobs {
            return Err(HashError::Busy);
        }
        queue.jobs.push_back(job);
        if queue.idle >= queue.jobs.len() || queue.threads == self.most_threads {
            drop(queue);
            self.work.notify_one();
            return Ok(());
        }
        queue.threads += 1;
        drop(queue);
        let pool = Arc::clone(self);
        thread::spawn(move || pool.work_until_idle());
        Ok(())
    }

    fn work_until_idle(&self) {
        let mut memory = Memory::new();
        let mut queue = self.lock();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                drop(queue);
                // A job that panics drops its answer; the thread and its place must survive it.
                let _ = catch_unwind(AssertUnwindSafe(|| job(&mut memory)));
                queue = self.lock();
                continue;
            }
            queue.idle += 1;
            let (woken, wait) = self
                .work
                .wait_timeout(queue, IDLE)
                .unwrap_or_else(PoisonError::into_inner);
            queue = woken;
            queue.idle -= 1;
            if wait.timed_out() && queue.jobs.is_empty() {
                queue.threads -= 1;
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

fn hash(
    params: &Params,
    salt: &[u8; 16],
    password: &str,
    memory: &mut Memory,
) -> Result<PasswordHash, HashError> {
    let output = fill(params, salt, password, Params::DEFAULT_OUTPUT_LEN, memory)?;
    let phc = Phc {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).map_err(|_| HashError::Argon2)?,
        salt: Some(Salt::new(salt).map_err(|_| HashError::Argon2)?),
        hash: Some(Output::new(&output).map_err(|_| HashError::Argon2)?),
    };
    Ok(PasswordHash::from_phc(phc.to_string()))
}

/// Whether `stored` is a hash of `password`. A stored hash that is not argon2id is of no password.
fn is_hash_of(
    stored: &PasswordHash,
    password: &str,
    memory: &mut Memory,
) -> Result<bool, HashError> {
    let Ok(phc) = Phc::new(stored.as_phc()) else {
        return Ok(false);
    };
    let (Ok(params), Some(salt), Some(expected)) = (Params::try_from(&phc), &phc.salt, &phc.hash)
    else {
        return Ok(false);
    };
    if phc.algorithm != ARGON2ID_IDENT {
        return Ok(false);
    }
    let actual = fill(&params, salt, password, expected.len(), memory)?;
    Ok(actual.ct_eq(expected.as_bytes()).into())
}

fn has_params(stored: &PasswordHash, today: &Params) -> bool {
    let params = Phc::new(stored.as_phc()).map(|phc| Params::try_from(&phc));
    matches!(params, Ok(Ok(params)) if params.m_cost() == today.m_cost()
        && params.t_cost() == today.t_cost()
        && params.p_cost() == today.p_cost())
}

fn fill(
    params: &Params,
    salt: &[u8],
    password: &str,
    length: usize,
    memory: &mut Memory,
) -> Result<Vec<u8>, HashError> {
    let blocks = params.block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::default());
    }
    let mut output = vec![0; length];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let memory = memory.get_mut(..blocks).ok_or(HashError::Argon2)?;
    argon2
        .hash_password_into_with_memory(password.as_bytes(), salt, &mut output, memory)
        .map_err(|_| HashError::Argon2)?;
    Ok(output)
}

/// How long a thread keeps its memory without work.
const IDLE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher(policy: &PasswordPolicy) -> PasswordHasher {
        PasswordHasher::new(policy, Random::system()).unwrap()
    }

    fn password(typed: &str) -> Password {
        Password::prepare(typed).unwrap()
    }

    #[tokio::test]
    async fn a_password_is_verified_and_rehashed_when_the_parameters_change() {
        let old = PasswordPolicy {
            iterations: 3,
            ..PasswordPolicy::default()
        };
        let stored = hasher(&old).hash(password("correct horse")).await.unwrap();
        assert!(
            stored
                .as_phc()
                .starts_with("$argon2id$v=19$m=19456,t=3,p=1$")
        );

        let today = hasher(&PasswordPolicy::default());
        let wrong = today
            .verify(Some(stored.clone()), Some(password("wrong horse")))
            .await
            .unwrap();
        assert!(!wrong.is_correct && wrong.rehashed.is_none());
        let right = today
            .verify(Some(stored), Some(password("correct horse")))
            .await
            .unwrap();
        let rehashed = right.rehashed.unwrap();
        assert!(right.is_correct && rehashed.as_phc().contains("t=2"));
        let again = today
            .verify(Some(rehashed), Some(password("correct horse")))
            .await
            .unwrap();
        assert!(again.is_correct && again.rehashed.is_none());
    }

    #[tokio::test]
    async fn nobody_has_the_password_of_an_unknown_user() {
        let hasher = hasher(&PasswordPolicy::default());
        let foreign = PasswordHash::from_phc("$2b$12$notargon2".to_owned());
        let empty = hash(&hasher.params, &[0; 16], "", &mut Memory::new()).unwrap();
        for (stored, typed) in [
            (None, "x"),
            (None, ""),
            (Some(foreign), "x"),
            // No password is empty, even if somebody stored the hash of nothing.
            (Some(empty), ""),
        ] {
            let verification = hasher.verify(stored, Password::prepare(typed)).await;
            assert!(!verification.unwrap().is_correct, "{typed:?}");
        }
    }

    #[tokio::test]
    async fn more_than_may_wait_are_turned_away() {
        let policy = PasswordPolicy {
            concurrency: Some(1),
            queue: 1,
            ..PasswordPolicy::default()
        };
        let hasher = hasher(&policy);
        let (first, second, third, fourth) = tokio::join!(
            hasher.verify(None, Some(password("1"))),
            hasher.verify(None, Some(password("2"))),
            hasher.verify(None, Some(password("3"))),
            hasher.verify(None, Some(password("4"))),
        );
        let all = [first, second, third, fourth];
        assert!(all.iter().any(Result::is_ok));
        assert!(
            all.iter()
                .any(|result| matches!(result, Err(HashError::Busy)))
        );
    }
}
