//! Log lines as JSON objects: when, how grave, the event's fields, who says so, and the span it
//! stands in.
//!
//! tracing-subscriber has such a format too. It parses the fields of the span again for every
//! event, and took a quarter of the time of a cheap request.

use std::error::Error;
use std::fmt::{self, Debug, Write as _};

use tracing::field::{Field, Visit};
use tracing::span::Record;
use tracing::{Event, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes events.
pub(super) struct JsonEvents;

impl<S, N> FormatEvent<S, N> for JsonEvents
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        line.write_str("{\"timestamp\":\"")?;
        SystemTime.format_time(&mut line)?;
        write!(line, "\",\"level\":\"{}\"", metadata.level())?;
        let mut members = Members::after_others(line.by_ref());
        event.record(&mut members);
        members.result?;
        line.write_str(",\"target\":")?;
        quote(&mut line, metadata.target())?;
        if let Some(span) = context.lookup_current() {
            line.write_str(",\"span\":{\"name\":")?;
            quote(&mut line, span.name())?;
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>() {
                line.write_str(fields)?;
            }
            line.write_char('}')?;
        }
        line.write_str("}\n")
    }
}

/// Writes the fields of spans: members of an object that has others already.
pub(super) struct JsonFields;

impl<'w> FormatFields<'w> for JsonFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut members = Members::after_others(writer);
        fields.record(&mut members);
        members.result
    }

    fn add_fields(
        &self,
        current: &'w mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        self.format_fields(current.as_writer(), fields)
    }
}

/// Writes fields as members of a JSON object.
struct Members<'w> {
    writer: Writer<'w>,
    result: fmt::Result,
}

impl<'w> Members<'w> {
    fn after_others(writer: Writer<'w>) -> Self {
        Self {
            writer,
            result: Ok(()),
        }
    }

    fn member(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'w>) -> fmt::Result) {
        let write = || {
            self.writer.write_char(',')?;
            quote(&mut self.writer, field.name())?;
            self.writer.write_char(':')?;
            value(&mut self.writer)
        };
        if self.result.is_ok() {
            self.result = write();
        }
    }
}

impl Visit for Members<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.member(field, |writer| quote(writer, value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field, |writer| write!(writer, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field, |writer| write!(writer, "{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field, |writer| write!(writer, "{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.member(field, |writer| quote_shown(writer, format_args!("{value}")));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.member(field, |writer| {
            quote_shown(writer, format_args!("{value:?}"))
        });
    }
}

fn quote(writer: &mut Writer<'_>, text: &str) -> fmt::Result {
    quote_shown(writer, format_args!("{text}"))
}

fn quote_shown(writer: &mut Writer<'_>, shown: fmt::Arguments<'_>) -> fmt::Result {
    writer.write_char('"')?;
    Escaping(writer).write_fmt(shown)?;
    writer.write_char('"')
}

/// Writes what stands between the quotation marks of a JSON string, in one line for every reader.
struct Escaping<'w, 's>(&'w mut Writer<'s>);

impl fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
        if text.bytes().all(is_plain) {
            return self.0.write_str(text);
        }
        for c in text.chars() {
            match c {
                '"' | '\\' => write!(self.0, "\\{c}")?,
                // The two separators end a line for some readers, and are no control characters.
                c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                    write!(self.0, "\\u{:04x}", u32::from(c))?;
                }
                c => self.0.write_char(c)?,
            }
        }
        Ok(())
    }
}
