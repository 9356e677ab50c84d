//! The bundle: an executable that Airflow's `ExecutableCoordinator` finds and starts.
//!
//! The executable is followed by a manifest, which names its DAGs and their tasks, and by a footer of 64 bytes: the lengths of
//! the source and of the manifest, the version of the footer, the SHA-256 of the executable, and a magic word. An ELF file runs
//! the same whatever is appended to it. A bundle that is stripped afterwards loses its footer, and Airflow then ignores it
//! without a message.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const MAGIC: &[u8; 8] = b"AFBNDL01";
const FOOTER: usize = 64;
const FOOTER_VERSION: u32 = 1;

/// The schema of the messages that this program speaks. Airflow 3.3 knows only this one, and later versions translate to it.
pub(super) const SCHEMA: &str = "2026-06-16";

/// The manifest as JSON, which is also valid YAML.
pub(super) fn manifest(dags: &[(&str, Vec<String>)]) -> String {
    let tasks = |(dag, tasks): &(&str, Vec<String>)| ((*dag).to_owned(), json!({"tasks": tasks}));
    let manifest = json!({
        "airflow_bundle_metadata_version": "1.0",
        "sdk": {"language": "rust", "version": env!("CARGO_PKG_VERSION"), "supervisor_schema_version": SCHEMA},
        "source": "main.rs",
        "dags": dags.iter().map(tasks).collect::<Map<String, Value>>(),
    });
    manifest.to_string()
}

/// Writes the bundle of `executable` and `manifest` to `to`. An existing file is replaced atomically, so that a starting task
/// sees either the old or the new one.
pub(super) fn write(executable: &Path, manifest: &str, to: &Path) -> io::Result<()> {
    let folder = to.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".bundle-").tempfile_in(folder)?;
    let hash = copy(executable, &mut file)?;
    file.write_all(manifest.as_bytes())?;
    file.write_all(&footer(manifest.len(), hash)?)?;
    file.flush()?;
    fs::set_permissions(file.path(), Permissions::from_mode(0o755))?;
    file.persist(to).map_err(|error| error.error)?;
    Ok(())
}

/// Returns whether `bundle` is what [`write`] would write for this executable and manifest.
pub(super) fn matches(bundle: &Path, executable: &Path, manifest: &str) -> io::Result<bool> {
    let mut digest = Sha256::new();
    let size = hash_elf(executable, &mut digest)?;
    let footer = footer(manifest.len(), digest.finalize().into())?;
    let mut file = match File::open(bundle) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    if file.metadata()?.len() != size + (manifest.len() + FOOTER) as u64 {
        return Ok(false);
    }
    file.seek(SeekFrom::Start(size))?;
    let mut rest = Vec::new();
    file.read_to_end(&mut rest)?;
    let (found_manifest, found_footer) = rest.split_at(manifest.len());
    Ok(found_manifest == manifest.as_bytes() && found_footer == footer)
}

/// Copies an executable without its footer and manifest, if it has any, and returns its hash.
fn copy(executable: &Path, to: &mut impl Write) -> io::Result<[u8; 32]> {
    let mut from = File::open(executable)?.take(elf_size(executable)?);
    let mut digest = Sha256::new();
    io::copy(&mut from, &mut HashingWriter { to, digest: &mut digest })?;
    Ok(digest.finalize().into())
}

fn hash_elf(executable: &Path, digest: &mut Sha256) -> io::Result<u64> {
    let size = elf_size(executable)?;
    io::copy(&mut File::open(executable)?.take(size), &mut HashingWriter { to: &mut io::sink(), digest })
}

/// The size of an executable without manifest and footer. Exporting from a bundle thus yields the original executable again.
fn elf_size(executable: &Path) -> io::Result<u64> {
    let mut file = File::open(executable)?;
    let size = file.metadata()?.len();
    let Some(at) = size.checked_sub(FOOTER as u64) else { return Ok(size) };
    file.seek(SeekFrom::Start(at))?;
    let mut footer = [0; FOOTER];
    file.read_exact(&mut footer)?;
    if &footer[56..] != MAGIC {
        return Ok(size);
    }
    let length = |at: usize| u64::from(u32::from_le_bytes([footer[at], footer[at + 1], footer[at + 2], footer[at + 3]]));
    Ok(at.saturating_sub(length(0) + length(4)))
}

fn footer(manifest: usize, hash: [u8; 32]) -> io::Result<[u8; FOOTER]> {
    let mut footer = [0; FOOTER];
    // The source is left out: Airflow only displays it, and a binary is not built from a single file.
    footer[4..8].copy_from_slice(&u32::try_from(manifest).map_err(io::Error::other)?.to_le_bytes());
    footer[8..12].copy_from_slice(&FOOTER_VERSION.to_le_bytes());
    footer[12..44].copy_from_slice(&hash);
    footer[56..].copy_from_slice(MAGIC);
    Ok(footer)
}

/// A writer that also hashes what it writes.
struct HashingWriter<'a, W> {
    to: &'a mut W,
    digest: &'a mut Sha256,
}

impl<W: Write> Write for HashingWriter<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        use std::fmt::Write;
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    #[test]
    fn the_footer_is_that_of_airflows_contract() {
        let folder = tempfile::tempdir().unwrap();
        let (elf, bundle) = (folder.path().join("elf"), folder.path().join("bundle"));
        fs::write(&elf, b"abc").unwrap();
        write(&elf, "{}", &bundle).unwrap();
        let bytes = fs::read(&bundle).unwrap();
        assert_eq!(&bytes[..5], b"abc{}");
        let sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(&bytes[5..]), format!("000000000200000001000000{sha}{}{}", "0".repeat(24), hex(MAGIC)));
        assert_eq!(fs::metadata(&bundle).unwrap().permissions().mode() & 0o777, 0o755);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");
    }

    #[test]
    fn a_bundle_of_a_bundle_is_the_same_bundle() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        fs::write(path("elf"), vec![7; 1000]).unwrap();
        let manifest = manifest(&[("nightly", vec!["load".into()])]);
        write(&path("elf"), &manifest, &path("once")).unwrap();
        write(&path("once"), &manifest, &path("twice")).unwrap();
        assert_eq!(fs::read(path("once")).unwrap(), fs::read(path("twice")).unwrap());
    }

    #[test]
    fn an_export_of_other_code_is_told_from_one_of_this() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        fs::write(path("elf"), b"one").unwrap();
        fs::write(path("other"), b"two").unwrap();
        assert!(!matches(&path("bundle"), &path("elf"), "{}").unwrap());
        write(&path("elf"), "{}", &path("bundle")).unwrap();
        assert!(matches(&path("bundle"), &path("elf"), "{}").unwrap());
        assert!(matches(&path("bundle"), &path("bundle"), "{}").unwrap());
        assert!(!matches(&path("bundle"), &path("other"), "{}").unwrap());
        assert!(!matches(&path("bundle"), &path("elf"), "[]").unwrap());
    }

    #[test]
    fn the_manifest_is_yaml_without_a_date() {
        let manifest = manifest(&[("nightly", vec!["wait".into(), "load".into()])]);
        assert!(manifest.contains(r#""supervisor_schema_version":"2026-06-16""#), "{manifest}");
        assert!(manifest.contains(r#""dags":{"nightly":{"tasks":["wait","load"]}}"#), "{manifest}");
    }
}
