//! From a child's bytes to lines that may be shown.

use std::time::Duration;

use memchr::memchr2;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::frame::{Begin, Skip};
use super::tail::Tail;
use super::{Redactor, Sink};
use crate::event::{Room, Stream};
use crate::server_messages::MessageFilter;

/// How much of a line is shown, in bytes; the rest of it is left out. No line that a person reads is longer, and a
/// program that prints a whole file as one line must not fill our memory.
const LONGEST: usize = 16 * 1024;

/// How much is read at once, in bytes: a Linux pipe's usual capacity.
const CHUNK: usize = 64 * 1024;

/// So much is made into lines between two looks for room, in bytes: lines of one byte become events of a hundred.
const PIECE: usize = 8 * 1024;

/// What is shown in place of the rest of a line that is too long.
const CUT: &str = " […]";

/// How long a stream is read once its child has ended.
#[derive(Debug, Clone)]
pub(super) struct AfterEnd {
    /// Cancelled when the child has ended.
    pub(super) ended: CancellationToken,
    /// How long the stream is read then. The time in which its lines found no room does not count.
    pub(super) patience: Duration,
}

/// Reads the lines of one stream of a child.
pub(super) struct LineReader {
    pub(super) stream: Stream,
    pub(super) redactor: Redactor,
    /// Values of rows are kept out.
    pub(super) discreet: bool,
    /// Where the child's own lines begin, if others stand before them.
    pub(super) begin: Option<Begin>,
    pub(super) tail: Tail,
    pub(super) sink: Sink,
    /// What the child waits for; nothing where it never does.
    pub(super) room: Option<Room>,
    pub(super) after: AfterEnd,
}

impl LineReader {
    /// Reads a stream to its end, handing each line, redacted, to the tail and the sink. A read error counts as the end:
    /// what matters about the child is its exit status.
    pub(super) async fn read(self, mut from: impl AsyncRead + Unpin) {
        let Self {
            stream,
            redactor,
            discreet,
            begin,
            tail,
            sink,
            room,
            after,
        } = self;
        let mut skipped = begin.map(Begin::skip);
        let mut lines = Lines::new(redactor);
        let mut filter = discreet.then(MessageFilter::default);
        let mut tell = |line: &str| {
            if skipped.as_mut().is_some_and(|skipped| skipped.takes(line)) {
                return;
            }
            let shown = match &mut filter {
                Some(filter) => filter.pass(line),
                None => Some(line.into()),
            };
            if let Some(line) = shown {
                tail.push(&line);
                sink(stream, &line);
            }
        };
        let mut chunk = vec![0; CHUNK];
        let mut deadline = None;
        loop {
            let over = async {
                after.ended.cancelled().await;
                sleep_until(*deadline.get_or_insert_with(|| Instant::now() + after.patience)).await;
            };
            // The deadline goes first: what a child left behind may print for ever.
            let count = tokio::select! {
                biased;
                () = over => break,
                read = from.read(&mut chunk) => match read {
                    Ok(0) | Err(_) => break,
                    Ok(count) => count,
                },
            };
            for piece in chunk[..count].chunks(PIECE) {
                if let Some(room) = &room {
                    let began = Instant::now();
                    room().await;
                    deadline = deadline.map(|deadline| deadline + began.elapsed());
                }
                lines.feed(piece, &mut tell);
                // A child that prints without end always has more to read: others have their turn here.
                yield_now().await;
            }
        }
        lines.finish(&mut tell);
        // Without a beginning, what was printed instead is all there is to show.
        for line in skipped.into_iter().flat_map(Skip::left) {
            tail.push(&line);
        }
    }
}

/// Cuts bytes into lines. A carriage return ends a line as a newline does (programs redraw their progress with it), and
/// what is not UTF-8 is replaced.
pub(super) struct Lines {
    redactor: Redactor,
    line: Vec<u8>,
    /// How much of a line is kept: a secret that begins before the cut must be seen whole, or its head would be shown.
    keep: usize,
    cut: bool,
    after_return: bool,
}

impl Lines {
    pub(super) fn new(redactor: Redactor) -> Self {
        let keep = LONGEST + redactor.longest();
        Self {
            redactor,
            line: Vec::new(),
            keep,
            cut: false,
            after_return: false,
        }
    }

    /// Takes the next bytes and tells the lines that they complete.
    pub(super) fn feed(&mut self, bytes: &[u8], tell: &mut impl FnMut(&str)) {
        let mut rest = bytes;
        while let Some(end) = memchr2(b'\n', b'\r', rest) {
            self.extend(&rest[..end]);
            let newline = rest[end] == b'\n';
            // Neither the `\n` of a `\r\n` nor a `\r` at the beginning of a redrawn line is a line of its own.
            let nothing = self.line.is_empty() && (!newline || self.after_return);
            if !nothing {
                self.tell(tell);
            }
            self.after_return = !newline;
            rest = &rest[end + 1..];
        }
        self.extend(rest);
    }

    /// Tells the last line, if the stream ended without a line end.
    pub(super) fn finish(&mut self, tell: &mut impl FnMut(&str)) {
        if !self.line.is_empty() {
            self.tell(tell);
        }
    }

    fn extend(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.after_return = false;
        let room = self.keep.saturating_sub(self.line.len());
        self.cut |= bytes.len() > room;
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn tell(&mut self, tell: &mut impl FnMut(&str)) {
        let text = String::from_utf8_lossy(&self.line);
        let text = self.redactor.redact(&text);
        if self.cut || text.len() > LONGEST {
            let end = (0..=text.len().min(LONGEST))
                .rev()
                .find(|end| text.is_char_boundary(*end));
            let mut shown = text[..end.unwrap_or(0)].to_owned();
            shown.push_str(CUT);
            tell(&shown);
        } else {
            tell(&text);
        }
        self.line.clear();
        self.cut = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn cut(redactor: Redactor, chunks: &[&[u8]]) -> Vec<String> {
        let mut told = Vec::new();
        let mut lines = Lines::new(redactor);
        for chunk in chunks {
            lines.feed(chunk, &mut |line| told.push(line.to_owned()));
        }
        lines.finish(&mut |line| told.push(line.to_owned()));
        told
    }

    #[test]
    fn newline_and_carriage_return_end_a_line() {
        assert_eq!(
            cut(Redactor::default(), &[b"a\nb\r\nc\rd\r", b"\n\ne"]),
            ["a", "b", "c", "d", "", "e"]
        );
        assert_eq!(cut(Redactor::default(), &[b"\r10%", b"\r20%\n"]), ["10%", "20%"]);
        assert_eq!(cut(Redactor::default(), &[b"\xff\n"]), ["\u{fffd}"]);
    }

    #[test]
    fn a_secret_across_chunks_and_across_the_cut_is_masked() {
        let redactor = Redactor::new(&[Secret::new("CANARY-LONG")]);
        assert_eq!(cut(redactor.clone(), &[b"x CAN", b"ARY-LONG y\n"]), ["x *** y"]);
        let mut line = vec![b'.'; LONGEST - 4];
        line.extend_from_slice(b"CANARY-LONG and more");
        let dots = ".".repeat(LONGEST - 4);
        assert_eq!(cut(redactor, &[&line]), [format!("{dots}*** {CUT}")]);
    }

    #[test]
    fn a_huge_line_is_cut_and_takes_no_memory() {
        let chunk = vec![b'x'; 1024 * 1024];
        let mut lines = Lines::new(Redactor::default());
        let mut told = Vec::new();
        for _ in 0..64 {
            lines.feed(&chunk, &mut |line| told.push(line.len()));
        }
        assert!(lines.line.capacity() < 128 * 1024);
        lines.feed(b"\nnext\n", &mut |line| told.push(line.len()));
        assert_eq!(told, [LONGEST + CUT.len(), 4]);
    }
}
