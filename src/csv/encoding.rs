//! Bytes to text: UTF-8, UTF-16 by their marks or their look, else Windows-1252, which every byte is.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How many bytes are read at a time.
const PIECE: usize = 16 * 1024;

/// The encoding of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    /// Neither; a guess that people should look at.
    Windows1252,
}

impl Encoding {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
        }
    }

    /// Reads its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Utf8, Self::Utf16Le, Self::Utf16Be, Self::Windows1252]
            .into_iter()
            .find(|one| one.name().eq_ignore_ascii_case(name))
    }

    fn decoder(self) -> Decoder {
        match self {
            Self::Utf8 => UTF_8,
            Self::Utf16Le => UTF_16LE,
            Self::Utf16Be => UTF_16BE,
            Self::Windows1252 => WINDOWS_1252,
        }
        .new_decoder_with_bom_removal()
    }

    /// Looks at a whole file, in one pass that keeps a piece of it.
    pub fn detect(mut source: impl Read) -> io::Result<Self> {
        let mut piece = vec![0; PIECE];
        let mut have = 0;
        // A mark and a look need the beginning, however few bytes a read gives.
        while have < PIECE {
            match source.read(piece.get_mut(have..).unwrap_or_default())? {
                0 => break,
                more => have += more,
            }
        }
        let head = piece.get(..have).unwrap_or_default();
        match head {
            [0xEF, 0xBB, 0xBF, ..] => return Ok(Self::Utf8),
            [0xFF, 0xFE, ..] => return Ok(Self::Utf16Le),
            [0xFE, 0xFF, ..] => return Ok(Self::Utf16Be),
            _ => {}
        }
        if let Some(look) = looks_like_utf16(head) {
            return Ok(look);
        }
        let mut validity = Validity::default();
        let mut good = validity.take(head);
        while good {
            match source.read(&mut piece)? {
                0 => break,
                more => good = validity.take(piece.get(..more).unwrap_or_default()),
            }
        }
        Ok(if good && validity.ended() {
            Self::Utf8
        } else {
            Self::Windows1252
        })
    }
}

/// Text of mostly Latin letters in UTF-16 has a zero in every other byte.
fn looks_like_utf16(head: &[u8]) -> Option<Encoding> {
    let head = head.get(..head.len().min(1024)).unwrap_or_default();
    let pairs = head.len() / 2;
    if pairs < 2 {
        return None;
    }
    let zeros = |odd: usize| {
        head.iter()
            .skip(odd)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let (even, odd) = (zeros(0), zeros(1));
    if odd * 2 > pairs && even == 0 {
        Some(Encoding::Utf16Le)
    } else if even * 2 > pairs && odd == 0 {
        Some(Encoding::Utf16Be)
    } else {
        None
    }
}

/// Whether pieces together are UTF-8; a character may lie over the edge of two.
#[derive(Default)]
struct Validity {
    rest: Vec<u8>,
}

impl Validity {
    fn take(&mut self, piece: &[u8]) -> bool {
        let joined;
        let bytes = if self.rest.is_empty() {
            piece
        } else {
            joined = [self.rest.as_slice(), piece].concat();
            &joined
        };
        match std::str::from_utf8(bytes) {
            Ok(_) => {
                self.rest = Vec::new();
                true
            }
            Err(error) if error.error_len().is_none() => {
                self.rest = bytes
                    .get(error.valid_up_to()..)
                    .unwrap_or_default()
                    .to_vec();
                true
            }
            Err(_) => false,
        }
    }

    fn ended(&self) -> bool {
        self.rest.is_empty()
    }
}

/// A reader of text in UTF-8 whatever the source is in. What is no text is an error of kind `InvalidData`.
pub struct Decoding<R> {
    source: R,
    decoder: Decoder,
    raw: Vec<u8>,
    /// What of `raw` is not decoded yet.
    from: usize,
    to: usize,
    ended: bool,
    text: Vec<u8>,
    given: usize,
}

impl<R: Read> Decoding<R> {
    pub fn new(source: R, encoding: Encoding) -> Self {
        Self {
            source,
            decoder: encoding.decoder(),
            raw: vec![0; PIECE],
            from: 0,
            to: 0,
            ended: false,
            text: Vec::new(),
            given: 0,
        }
    }

    /// Decodes the next piece; leaves `text` empty at the end.
    fn fill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.given = 0;
        while self.text.is_empty() && !self.ended {
            let last = if self.from == self.to {
                self.from = 0;
                self.to = self.source.read(&mut self.raw)?;
                self.to == 0
            } else {
                false
            };
            let mut room = vec![0; PIECE * 3 + 16];
            let bytes = self.raw.get(self.from..self.to).unwrap_or_default();
            let (result, read, written) = self
                .decoder
                .decode_to_utf8_without_replacement(bytes, &mut room, last);
            self.from += read;
            room.truncate(written);
            self.text = room;
            match result {
                DecoderResult::InputEmpty => self.ended = last,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "some bytes are not text in the file's encoding",
                    ));
                }
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoding<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.given == self.text.len() {
            self.fill()?;
        }
        let left = self.text.get(self.given..).unwrap_or_default();
        let count = left.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..count), left.get(..count)) {
            to.copy_from_slice(from);
        }
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (Encoding, io::Result<String>) {
        let encoding = Encoding::detect(bytes).expect("memory reads");
        let mut text = String::new();
        let result = Decoding::new(bytes, encoding)
            .read_to_string(&mut text)
            .map(|_| text);
        (encoding, result)
    }

    fn utf16(text: &str, little: bool, mark: bool) -> Vec<u8> {
        let mark = if mark { "\u{feff}" } else { "" };
        format!("{mark}{text}")
            .encode_utf16()
            .flat_map(|unit| {
                if little {
                    unit.to_le_bytes()
                } else {
                    unit.to_be_bytes()
                }
            })
            .collect()
    }

    #[test]
    fn every_encoding_gives_the_same_text() {
        let text = "group,email\r\nVertrieb Köln,änne@acme.test\r\n";
        let marked = format!("\u{feff}{text}");
        let (windows, _, _) = WINDOWS_1252.encode(text);
        for (bytes, encoding) in [
            (text.as_bytes().to_vec(), Encoding::Utf8),
            (marked.into_bytes(), Encoding::Utf8),
            (utf16(text, true, true), Encoding::Utf16Le),
            (utf16(text, false, true), Encoding::Utf16Be),
            (utf16(text, true, false), Encoding::Utf16Le),
            (utf16(text, false, false), Encoding::Utf16Be),
            (windows.into_owned(), Encoding::Windows1252),
        ] {
            let (detected, read) = read(&bytes);
            assert_eq!(detected, encoding);
            assert_eq!(read.expect("it is text"), text, "{encoding:?}");
        }
    }

    #[test]
    fn a_character_over_the_edge_of_two_pieces_is_read_whole() {
        for shift in 0..4 {
            let text = format!("{}{}", "a".repeat(shift), "€".repeat(PIECE));
            let (encoding, read) = read(text.as_bytes());
            assert_eq!(encoding, Encoding::Utf8);
            assert_eq!(read.expect("it is text"), text);
        }
    }

    #[test]
    fn broken_text_behind_a_mark_is_refused() {
        for bytes in [
            &b"\xEF\xBB\xBFgroup\xFF\xFE"[..],
            &b"\xFF\xFEa\x00\x00\xD8a\x00"[..],
        ] {
            let (_, read) = read(bytes);
            assert_eq!(
                read.expect_err("it is no text").kind(),
                io::ErrorKind::InvalidData
            );
        }
    }

    #[test]
    fn a_late_broken_byte_makes_it_windows_1252() {
        let mut bytes = "ä".repeat(PIECE).into_bytes();
        bytes.push(0xE4);
        assert_eq!(read(&bytes).0, Encoding::Windows1252);
    }
}
