//! The log: lines for people in a terminal, JSON lines otherwise, on standard error.
//!
//! **Invariant:** one event is one line, whatever is in its fields. What a client sent cannot
//! pretend to be a line of its own, nor move the cursor of the terminal that shows it.

mod gathered;
mod json;

use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal as _};

use tracing::Subscriber;
use tracing::field::Field;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

pub use self::gathered::LogGuard;

use crate::config::log::{Log, LogFormat};

/// Starts the log of this process. What is still to be written is written when the guard is
/// dropped.
///
/// # Errors
///
/// The process has a log already, or cannot have another thread.
pub fn start(log: &Log) -> io::Result<LogGuard> {
    let is_terminal = io::stderr().is_terminal();
    let (lines, guard) = gathered::write_to(io::stderr())?;
    let subscriber = subscriber(log, is_terminal, move || lines.clone());
    subscriber.try_init().map_err(io::Error::other)?;
    Ok(guard)
}

fn subscriber<W>(log: &Log, is_terminal: bool, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let levels = Targets::new()
        .with_default(log.level.default)
        .with_targets(log.level.modules.clone());
    let registry = tracing_subscriber::registry().with(levels);
    let is_human = match log.format {
        LogFormat::Auto => is_terminal,
        LogFormat::Human => true,
        LogFormat::Json => false,
    };
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    if is_human {
        let fields = debug_fn(write_field).delimited(" ");
        let layer = layer.with_ansi(is_terminal).fmt_fields(fields);
        Box::new(registry.with(layer))
    } else {
        let layer = layer.fmt_fields(json::JsonFields);
        Box::new(registry.with(layer.event_format(json::JsonEvents)))
    }
}

/// Writes a field for people. Those that are shown by `Display` come as they are, line breaks
/// included, if nobody escapes them.
fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    if field.name() != "message" {
        write!(writer, "{}=", field.name())?;
    }
    write!(Escaping(writer), "{value:?}")
}

/// Writes control characters as Rust writes them in a string.
struct Escaping<'w, 's>(&'w mut Writer<'s>);

impl fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            // The two separators end a line for some readers, and are no control characters.
            if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
                write!(self.0, "{}", c.escape_default())?;
            } else {
                self.0.write_char(c)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What was logged.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, is_terminal: bool, events: impl FnOnce()) -> String {
        let written = Written::default();
        let log = Log {
            format,
            ..Log::default()
        };
        let make = {
            let written = written.clone();
            move || written.clone()
        };
        tracing::subscriber::with_default(subscriber(&log, is_terminal, make), events);
        String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
    }

    const EVIL: &str = "a\r\nINFO forged\n\u{1b}[2J\u{9b}2J\u{85}\u{2028}b\0";

    fn log_evil() {
        let span = tracing::info_span!("request", path = %EVIL, agent = EVIL);
        let _entered = span.entered();
        let error = io::Error::other(EVIL);
        let error: &(dyn std::error::Error + 'static) = &error;
        tracing::info!(shown = %EVIL, quoted = ?EVIL, text = EVIL, error, "{EVIL}");
    }

    #[test]
    fn an_event_is_one_line_whatever_is_in_it() {
        for (format, is_terminal) in [
            (LogFormat::Human, false),
            (LogFormat::Json, false),
            (LogFormat::Json, true),
            (LogFormat::Auto, false),
        ] {
            let line = logged(format, is_terminal, log_evil);
            let inner = line.strip_suffix('\n').unwrap();
            let breaks = inner.find(['\n', '\r', '\u{1b}', '\0']);
            assert_eq!(breaks, None, "{format:?}: {inner}");
            assert!(inner.contains("forged"), "{inner}");
        }
    }

    #[test]
    fn in_a_terminal_only_our_own_escapes_are_written() {
        let line = logged(LogFormat::Auto, true, log_evil);
        assert_eq!(line.matches('\n').count(), 1);
        assert!(
            !line.contains("\u{1b}[2J") && !line.contains('\u{9b}'),
            "{line}"
        );
        assert!(line.contains("\u{1b}["), "{line}");
    }

    #[test]
    fn a_json_line_has_its_fields_beside_the_message() {
        let line = logged(LogFormat::Auto, false, || {
            let _outer = tracing::info_span!("outer").entered();
            let span = tracing::info_span!("request", id = %"a\"b", late = tracing::field::Empty);
            span.record("late", 7_u64);
            let _entered = span.entered();
            tracing::info!(client.id = "shop", took = 5_u128, first = true, "signed in");
            tracing::debug!("not at this level");
        });
        let json: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(json["message"], "signed in");
        assert_eq!(json["client.id"], "shop");
        assert_eq!(json["level"], "INFO");
        assert_eq!(json["took"], "5");
        assert_eq!(json["first"], true);
        assert_eq!(json["target"], "keyfob::logging::tests");
        let span = serde_json::json!({"name": "request", "id": "a\"b", "late": 7});
        assert_eq!(json["span"], span);
    }

    #[test]
    fn what_is_logged_comes_back_as_it_was() {
        let line = logged(LogFormat::Json, false, log_evil);
        let json: serde_json::Value = serde_json::from_str(&line).unwrap();
        for field in ["message", "shown", "text", "error"] {
            assert_eq!(json[field], EVIL, "{field}");
        }
        assert_eq!(json["span"]["agent"], EVIL);
    }
}
