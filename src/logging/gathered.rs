//! Lines that are written by a thread of their own, many at a time.
//!
//! Whoever logs leaves the line in a buffer. Waking the thread for each of them would cost more
//! than the line itself: it is woken for the first, waits a moment, and writes what has come
//! together.

use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Where lines are left.
#[derive(Clone, Debug)]
pub(super) struct Lines(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    has_come: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    is_closing: bool,
}

/// Writes what still waits when it is dropped.
#[derive(Debug)]
pub struct LogGuard {
    lines: Lines,
    thread: Option<JoinHandle<()>>,
}

/// Starts a thread that writes to `output`.
///
/// # Errors
///
/// The system has no thread to give.
pub(super) fn write_to(output: impl Write + Send + 'static) -> io::Result<(Lines, LogGuard)> {
    let lines = Lines(Arc::default());
    let taken = lines.clone();
    let thread = thread::Builder::new()
        .name("log".to_owned())
        .spawn(move || taken.write_all_to(output))?;
    let guard = LogGuard {
        lines: lines.clone(),
        thread: Some(thread),
    };
    Ok((lines, guard))
}

impl Lines {
    fn write_all_to(&self, mut output: impl Write) {
        let mut taken = Vec::new();
        while self.take(&mut taken) {
            // A reader that has gone away is no reason to stop.
            let _ = output.write_all(&taken).and_then(|()| output.flush());
            taken.clear();
            taken.shrink_to(USUAL);
        }
    }

    /// Waits for lines and swaps them for `taken`. Says whether there will be more.
    fn take(&self, taken: &mut Vec<u8>) -> bool {
        let mut waiting = self.lock();
        while waiting.lines.is_empty() && !waiting.is_closing {
            let woken = self.0.has_come.wait(waiting);
            waiting = woken.unwrap_or_else(PoisonError::into_inner);
        }
        if !waiting.is_closing {
            drop(waiting);
            thread::sleep(MOMENT);
            waiting = self.lock();
        }
        mem::swap(&mut waiting.lines, taken);
        !taken.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        let waiting = self.0.waiting.lock();
        waiting.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Lines {
    /// Takes all of it, or loses it: a reader that is too slow shall not hold up those who sign in.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.lock();
        let is_first = waiting.lines.is_empty();
        if waiting.lines.len() + line.len() <= MOST {
            waiting.lines.extend_from_slice(line);
        }
        drop(waiting);
        if is_first {
            self.0.has_come.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        self.lines.lock().is_closing = true;
        self.lines.0.has_come.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// For how long lines are gathered.
const MOMENT: Duration = Duration::from_millis(2);
/// How many bytes wait at most.
const MOST: usize = 4 << 20;
/// How many bytes the buffer keeps room for.
const USUAL: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    /// What was written, and how often.
    #[derive(Clone, Debug, Default)]
    struct Output(Arc<Mutex<(Vec<u8>, usize)>>);

    impl Write for Output {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut output = self.0.lock().unwrap();
            output.0.extend_from_slice(bytes);
            output.1 += 1;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_once_and_in_order_when_the_guard_is_dropped() {
        let output = Output::default();
        let (mut lines, guard) = write_to(output.clone()).unwrap();
        let expected: Vec<_> = (0..1000).map(|number| format!("line {number}\n")).collect();
        for line in &expected {
            lines.write_all(line.as_bytes()).unwrap();
        }
        drop(guard);
        let (written, times) = output.0.lock().unwrap().clone();
        assert_eq!(String::from_utf8(written).unwrap(), expected.concat());
        assert!(times < 1000, "{times} writes");
    }

    #[test]
    fn what_is_too_much_is_lost_and_nobody_waits() {
        let output = Output::default();
        let (mut lines, guard) = write_to(output.clone()).unwrap();
        lines.write_all(&vec![b'7'; MOST + 1]).unwrap();
        lines.write_all(b"kept\n").unwrap();
        drop(guard);
        assert_eq!(output.0.lock().unwrap().0, b"kept\n");
    }
}
