//! `presswork check`: templates, profiles and orders, with everything that is wrong in them.

use crate::app::App;
use crate::catalog::{self, load_profile};
use crate::control::Control;
use crate::edge::dir::Folder;
use crate::error::{Code, Violation, Violations};
use crate::order::Draft;
use std::path::{Path, PathBuf};

/// What a check found.
#[derive(Debug, Default)]
pub struct Report {
    /// How many templates, profiles and orders were looked at.
    pub checked: usize,
    /// What is wrong, with the file it is in.
    pub violations: Vec<(PathBuf, Violation)>,
}

/// Checks each path: a catalog or template folder, a profile, an order. Without any, the
/// catalog and every profile.
pub fn check(app: &App, paths: &[PathBuf]) -> Report {
    let mut report = Report::default();
    if paths.is_empty() {
        for name in app.profiles().names() {
            let path = PathBuf::from(format!("{name}.toml"));
            report.add(&path, app.profiles().load(&name).map(|_| ()));
        }
        let catalog = app.catalog_near(Path::new("fixtures/orders/any.json"));
        report.catalog(app, &catalog, catalog.root());
    }
    for path in paths {
        report.path(app, path);
    }
    report
}

impl Report {
    fn add(&mut self, path: &Path, result: Result<(), Violations>) {
        self.checked += 1;
        if let Err(violations) = result {
            self.violations.extend(violations.0.into_iter().map(|v| (path.to_owned(), v)));
        }
    }

    fn path(&mut self, app: &App, path: &Path) {
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        if path.is_dir() {
            match pin_of(path) {
                Some((root, pin)) => {
                    self.template(app, &Folder::new(root, app.limits().src_bytes), path, &pin)
                }
                None => {
                    let profiles: Vec<PathBuf> = sorted(path)
                        .into_iter()
                        .filter(|file| file.extension().is_some_and(|e| e == "toml"))
                        .collect();
                    if profiles.is_empty() {
                        self.catalog(app, &Folder::new(path, app.limits().src_bytes), path);
                    }
                    profiles.iter().for_each(|file| self.path(app, file));
                }
            }
        } else if path.file_name().is_some_and(|name| name == "template.json") {
            let folder = path.parent().unwrap_or(path);
            self.path(app, folder);
        } else if extension == "toml" {
            let text = std::fs::read_to_string(path).map_err(|e| unreadable(&e));
            self.add(path, text.and_then(|text| load_profile(&text).map(|_| ())));
        } else {
            let bytes = std::fs::read(path).map_err(|e| unreadable(&e));
            let result = bytes.and_then(|bytes| {
                let draft = Draft::parse(&bytes)?;
                app.prepare(path, &draft, Control::NONE, &mut |_| {}).map(|_| ())
            });
            self.add(path, result);
        }
    }

    fn catalog(&mut self, app: &App, catalog: &Folder, root: &Path) {
        let mut found = false;
        for id in sorted(root) {
            for version in sorted(&id) {
                if version.join("template.json").is_file()
                    && let Some((_, pin)) = pin_of(&version)
                {
                    found = true;
                    self.template(app, catalog, &version, &pin);
                }
            }
        }
        if !found {
            let detail = "this folder holds no templates; a template stands in ID/VERSION/template.json";
            self.add(root, Err(Violation::new(Code::TemplateNotFound, detail).into()));
        }
    }

    fn template(&mut self, app: &App, catalog: &Folder, path: &Path, pin: &str) {
        let result = catalog::load(catalog, pin, app.cache()).and_then(|template| {
            let mut out = Violations::default();
            let known = app.profiles().names();
            for (i, name) in template.profiles.iter().enumerate() {
                if !known.contains(name) {
                    let detail = "there is no such render profile";
                    out.push(
                        Violation::new(Code::TemplateInvalid, detail)
                            .at(format!("/profiles/{i}"))
                            .allowed(&known),
                    );
                }
            }
            for file in template.fixed_files() {
                if catalog.fetch(&file).is_err() {
                    out.push(Violation::new(
                        Code::TemplateInvalid,
                        format!("the template's file {file} is not there"),
                    ));
                }
            }
            out.or(())
        });
        self.add(path, result);
    }
}

fn unreadable(error: &std::io::Error) -> Violations {
    Violation::new(Code::AssetNotFound, format!("this file cannot be read: {}", error.kind())).into()
}

/// The catalog's root and the pin of a template's folder.
fn pin_of(folder: &Path) -> Option<(PathBuf, String)> {
    if !folder.join("template.json").is_file() {
        return None;
    }
    let folder = folder.canonicalize().ok()?;
    let version = folder.file_name()?.to_str()?;
    let id = folder.parent()?.file_name()?.to_str()?;
    Some((folder.parent()?.parent()?.to_owned(), format!("{id}@{version}")))
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    entries.sort();
    entries
}
