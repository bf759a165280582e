//! Where the keys that seal secrets come from: the environment, a file, or a file beside the SQLite database, made when
//! it is first needed. Requirement B42.
//!
//! A key in a file may be changed while servers run: a secret sealed under a key that is not known makes the file be read
//! again. Not here: the sealing ([`crate::auth::sealing`]) and which secrets there are (`queries::keys`).

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use zeroize::Zeroizing;

use super::error::StoreError;
use crate::auth::sealing::{SealingError, SealingKeys, sealed_under};
use crate::config::Sealing;

/// The keys of one store. Cheap to share; its connections carry it.
#[derive(Debug)]
pub struct Vault {
    keys: RwLock<SealingKeys>,
    /// Where the keys lie, if they do in a file.
    file: Option<PathBuf>,
    /// Whether the file is ours to make.
    ours: bool,
}

impl Vault {
    /// A vault without keys: secrets stay as they are.
    #[must_use]
    pub fn none() -> Arc<Self> {
        Arc::new(Self {
            keys: RwLock::default(),
            file: None,
            ours: false,
        })
    }

    /// The vault of a configuration; `beside` is the SQLite file, if it is one. Errors: a key that is none, a file that
    /// cannot be read or that others may read.
    pub fn open(sealing: &Sealing, beside: Option<&str>) -> Result<Arc<Self>, StoreError> {
        let (keys, file, ours) = match (sealing, beside) {
            (Sealing::Keys(text), _) => {
                let keys = SealingKeys::parse(text.expose()).map_err(|error| {
                    StoreError::Unusable(format!("ROLLCALL_SEALING_KEY: {error}"))
                })?;
                (keys, None, false)
            }
            (Sealing::File(path), _) => {
                let keys = read(path)?.ok_or_else(|| {
                    StoreError::Unusable(format!("the sealing key {} is not there", path.display()))
                })?;
                (keys, Some(path.clone()), false)
            }
            (Sealing::Default, Some(database)) => {
                let path = PathBuf::from(format!("{database}.key"));
                (read(&path)?.unwrap_or_default(), Some(path), true)
            }
            (Sealing::Default, None) => return Ok(Self::none()),
        };
        Ok(Arc::new(Self {
            keys: RwLock::new(keys),
            file,
            ours,
        }))
    }

    /// Whether secrets are sealed here.
    #[must_use]
    pub fn seals(&self) -> bool {
        self.ours || self.keys().ids().next().is_some()
    }

    /// Seals a secret at its place. The first time, the file beside the database is made.
    pub fn seal(&self, place: &[&str], secret: &str) -> Result<String, StoreError> {
        if self.ours && self.keys().ids().next().is_none() {
            self.make()?;
        }
        self.keys()
            .seal(place, secret)
            .map_err(|error| StoreError::Unusable(format!("a secret: {error}")))
    }

    /// Opens a stored secret.
    pub fn open_secret(
        &self,
        place: &[&str],
        stored: &str,
    ) -> Result<Zeroizing<String>, StoreError> {
        let mut opened = self.keys().open(place, stored);
        if let (Err(SealingError::UnknownKey(_)), Some(file)) = (&opened, &self.file)
            && let Some(keys) = read(file)?
        {
            opened = keys.open(place, stored);
            self.install(keys);
        }
        opened.map_err(|error| StoreError::Unusable(self.told(place, &error)))
    }

    /// Whether a stored secret is sealed as it should be now.
    #[must_use]
    pub fn is_current(&self, stored: &str) -> bool {
        if self.ours && self.keys().ids().next().is_none() {
            return false;
        }
        self.keys().is_current(stored)
    }

    /// Puts a new key in front of the file's others; both open. Errors: the keys do not lie in a file.
    pub fn add_key(&self) -> Result<(), StoreError> {
        let file = self.in_a_file()?;
        let mut text = Zeroizing::new(String::new());
        text.push_str(&new_key()?);
        text.push('\n');
        if let Some(old) = text_of(file)? {
            text.push_str(&old);
        }
        self.replace(file, &text)
    }

    /// Leaves the first key of the file alone, when nothing is sealed under the others any more.
    pub fn drop_old_keys(&self) -> Result<(), StoreError> {
        let file = self.in_a_file()?;
        let text = text_of(file)?.unwrap_or_default();
        let first = text
            .lines()
            .find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
        self.replace(
            file,
            &Zeroizing::new(format!("{}\n", first.unwrap_or_default())),
        )
    }

    /// Whether the keys lie in a file, where they can be changed.
    #[must_use]
    pub const fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// The names of the keys, the sealing one first.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        self.keys().ids().map(str::to_owned).collect()
    }

    fn in_a_file(&self) -> Result<&Path, StoreError> {
        self.file.as_deref().ok_or_else(|| {
            StoreError::Unusable("the sealing key does not lie in a file".to_owned())
        })
    }

    /// Makes the file with its first key, unless another process was faster.
    fn make(&self) -> Result<(), StoreError> {
        let file = self.in_a_file()?;
        let text = Zeroizing::new(format!("{}\n", *new_key()?));
        let part = written_beside(file, &text)?;
        // A link fails where the name exists, and a rival's key must not be replaced.
        let linked = fs::hard_link(&part, file);
        let _ = fs::remove_file(&part);
        match linked {
            Ok(()) => sync_folder(file)?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unusable(file, error)),
        }
        let keys = read(file)?.ok_or_else(|| unusable(file, "it is gone again"))?;
        self.install(keys);
        Ok(())
    }

    fn replace(&self, file: &Path, text: &Zeroizing<String>) -> Result<(), StoreError> {
        let keys = SealingKeys::parse(text).map_err(|error| unusable(file, error))?;
        let part = written_beside(file, text)?;
        fs::rename(&part, file).map_err(|error| unusable(file, error))?;
        sync_folder(file)?;
        self.install(keys);
        Ok(())
    }

    fn install(&self, keys: SealingKeys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    fn keys(&self) -> std::sync::RwLockReadGuard<'_, SealingKeys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to do about a secret that does not open.
    fn told(&self, place: &[&str], error: &SealingError) -> String {
        let whence = match &self.file {
            Some(file) => format!("put the right key into {}", file.display()),
            None => "name the right key in ROLLCALL_SEALING_KEY or in the file of ROLLCALL_SEALING_KEY_FILE".to_owned(),
        };
        format!(
            "the secret {} does not open: {error}; {whence}, or give the key up for lost with `rollcall key rotate` \
             (tokens stay valid)",
            place.join(" ")
        )
    }
}

fn new_key() -> Result<Zeroizing<String>, StoreError> {
    SealingKeys::generate().map_err(|error| StoreError::Unusable(error.to_string()))
}

fn unusable(file: &Path, why: impl std::fmt::Display) -> StoreError {
    StoreError::Unusable(format!("the sealing key {}: {why}", file.display()))
}

/// The text of a key file that nobody else may read (B54); `None` where there is none.
fn text_of(file: &Path) -> Result<Option<Zeroizing<String>>, StoreError> {
    let text = match fs::read_to_string(file) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(file, error)),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let meta = fs::metadata(file).map_err(|error| unusable(file, error))?;
        if meta.permissions().mode() & 0o077 != 0 {
            return Err(unusable(
                file,
                format!("others may read it; run `chmod 600 {}`", file.display()),
            ));
        }
    }
    Ok(Some(text))
}

fn read(file: &Path) -> Result<Option<SealingKeys>, StoreError> {
    match text_of(file)? {
        None => Ok(None),
        Some(text) => SealingKeys::parse(&text)
            .map(Some)
            .map_err(|error| unusable(file, error)),
    }
}

/// Writes a text to a new file of its own beside `file`, on the disk, for its owner only (C5, B54).
fn written_beside(file: &Path, text: &str) -> Result<PathBuf, StoreError> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", uuid::Uuid::now_v7().simple()));
    let part = file.with_file_name(name);
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&part).and_then(|mut out| {
        out.write_all(text.as_bytes())?;
        out.sync_all()
    });
    match written {
        Ok(()) => Ok(part),
        Err(error) => {
            let _ = fs::remove_file(&part);
            Err(unusable(file, error))
        }
    }
}

fn sync_folder(file: &Path) -> Result<(), StoreError> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))
        .and_then(|folder| folder.sync_all())
        .map_err(|error| unusable(file, error))
}

/// The id of the key a stored secret is sealed under, for lists.
#[must_use]
pub fn sealed_by(stored: &str) -> Option<&str> {
    sealed_under(stored)
}
