//! The files that `aws configure` writes: `~/.aws/credentials` and `~/.aws/config`.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;

use super::settings::AccessKey;

/// The settings of one profile, from both files.
#[derive(Debug, Default)]
pub(super) struct Profile(HashMap<String, String>);

impl Profile {
    /// Reads a profile's sections; a missing file counts as empty. `var` reads the environment.
    ///
    /// The error completes the sentence "the profile `NAME` …".
    pub(super) fn read(name: &str, var: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut profile = Self::default();
        let folder = var("HOME").or_else(|| var("USERPROFILE")).map(|home| PathBuf::from(home).join(".aws"));
        for (variable, file, section) in [
            ("AWS_CONFIG_FILE", "config", if name == "default" { name.to_owned() } else { format!("profile {name}") }),
            ("AWS_SHARED_CREDENTIALS_FILE", "credentials", name.to_owned()),
        ] {
            let Some(path) = var(variable).map(PathBuf::from).or_else(|| Some(folder.as_ref()?.join(file))) else { continue };
            match std::fs::read_to_string(&path) {
                Ok(text) => profile.0.extend(section_of(&text, &section)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(format!("cannot be read from {}: {error}", path.display())),
            }
        }
        Ok(profile)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The error completes the sentence "the profile `NAME` …".
    pub(super) fn key(&self) -> Result<Option<AccessKey>, String> {
        if let (Some(id), Some(secret)) = (self.get("aws_access_key_id"), self.get("aws_secret_access_key")) {
            let token = self.get("aws_session_token").map(str::to_owned);
            return Ok(Some(AccessKey { id: id.to_owned(), secret: secret.to_owned(), token }));
        }
        for how in ["role_arn", "sso_session", "sso_start_url", "credential_process", "login_session"] {
            if self.get(how).is_some() {
                return Err(format!(
                    "gets its credentials by `{how}`, which is not supported here; \
                     `aws configure export-credentials --format env` prints them as variables"
                ));
            }
        }
        Ok(None)
    }
}

/// The settings in a section `[name]`. Indented lines belong to nested settings, which are not used.
fn section_of(text: &str, section: &str) -> HashMap<String, String> {
    let mut found = HashMap::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with([' ', '\t', '#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            let name = name.split_once(']').map_or(name, |(name, _)| name);
            inside = name.split_whitespace().eq(section.split_whitespace());
        } else if inside && let Some((name, value)) = line.split_once('=') {
            found.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, config: &str, credentials: &str) -> Result<Profile, Box<dyn std::error::Error>> {
        let home = tempfile::tempdir()?;
        std::fs::create_dir(home.path().join(".aws"))?;
        std::fs::write(home.path().join(".aws/config"), config)?;
        let elsewhere = home.path().join("elsewhere");
        std::fs::write(&elsewhere, credentials)?;
        let var = |variable: &str| match variable {
            "HOME" => Some(home.path().display().to_string()),
            "AWS_SHARED_CREDENTIALS_FILE" => Some(elsewhere.display().to_string()),
            _ => None,
        };
        Ok(Profile::read(name, var)?)
    }

    #[test]
    fn both_files_are_read() -> Result<(), Box<dyn std::error::Error>> {
        let config = "[default]\nregion=us-east-1\n[profile  eu]\nregion = eu-west-1\ns3 =\n  region = nested\n# region = x\n";
        let credentials = "[default]\naws_access_key_id=A\naws_secret_access_key=a=b\n[eu]\nAWS_ACCESS_KEY_ID = E\n\
                           aws_secret_access_key = e\naws_session_token = t\n";
        let eu = read("eu", config, credentials)?;
        assert_eq!(eu.get("region"), Some("eu-west-1"));
        assert_eq!(eu.key()?, Some(AccessKey { id: "E".into(), secret: "e".into(), token: Some("t".into()) }));
        let default = read("default", config, credentials)?;
        assert_eq!((default.get("region"), default.key()?.map(|key| key.secret)), (Some("us-east-1"), Some("a=b".into())));
        assert!(read("none", config, credentials)?.is_empty());
        Ok(())
    }

    #[test]
    fn what_is_not_read_is_told() -> Result<(), Box<dyn std::error::Error>> {
        let error = read("x", "[profile x]\nrole_arn = arn:aws:iam::1:role/x\n", "")?.key().err().unwrap_or_default();
        assert!(error.contains("role_arn") && error.contains("export-credentials"), "{error}");
        Ok(())
    }
}
