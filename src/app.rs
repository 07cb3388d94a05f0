//! The composition root: the only place that picks where templates, assets and files live, and
//! the path of one order from bytes to its folder.

mod clock;
mod expected;
mod failures;
mod inspected;
mod nearest;
#[cfg(debug_assertions)]
mod poison;
#[cfg(test)]
mod tests;

use crate::asset::{Encoded, Limits};
use crate::cache::{self, Cache};
use crate::catalog::{self, Output};
use crate::compose::{AssetRef, Assets, Composed, Source, compose, plan};
use crate::control::Control;
use crate::derive::{Stray, derive};
use crate::edge::dir::{Folder, JobFolder, LoadedProfile, ProfileLibrary};
use crate::error::{Code, Violation, Violations};
use crate::order::brief::REPORT;
use crate::order::event::{
    AssetUsed, EventError, EventType, Preflight, ResultData, ResultEvent, Verdict, event_id,
};
use crate::order::{Draft, ValidOrder};
use crate::preflight::Rule;
use crate::render::{Destination, Job, Stage, sink_failed};
use crate::text::FontLibrary;

use clock::StageClock;
use inspected::Inspected;
use nearest::nearest;
use rayon::prelude::*;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use failures::{failed, rejected_event, revision};

/// Where things are, as the command line or the environment says.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The catalog; found beside the order unless told.
    pub catalog: Option<PathBuf>,
    /// Render profiles; the built-in ones unless told.
    pub profiles: Option<PathBuf>,
    /// The orders' assets; found beside the order unless told.
    pub assets: Option<PathBuf>,
    /// A folder of fonts beside the built-in ones.
    pub fonts: Option<PathBuf>,
}

/// Everything that orders share.
#[derive(Debug)]
pub struct App {
    places: Places,
    profiles: ProfileLibrary,
    fonts: FontLibrary,
    limits: Limits,
    cache: Arc<Cache>,
}

/// What became of one order.
#[derive(Debug)]
pub struct Outcome {
    /// The order's file.
    pub path: PathBuf,
    /// The run, where the order names one.
    pub job_id: Option<String>,
    /// The job's folder, where there is one.
    pub folder: Option<PathBuf>,
    /// What a worker would publish.
    pub event: ResultEvent,
}

/// A run's way from a valid order to its scene.
#[derive(Debug)]
pub struct Prepared {
    /// The order with every value in bounds.
    pub order: ValidOrder,
    /// Its scene and findings.
    pub composed: Composed,
    /// Contours that do not do what they are for.
    stray: Vec<Stray>,
    /// Its pictures, as they were used.
    pub assets: Vec<AssetUsed>,
    profile: LoadedProfile,
}

impl App {
    /// Loads what orders share: the fonts. The rest is cached as it is used.
    pub fn new(places: Places, limits: Limits) -> Result<App, Violations> {
        App::with_cache(places, limits, Cache::new(cache::BYTES))
    }

    /// The same, with a cache of its own: what is in it was made with these fonts and limits.
    pub fn with_cache(places: Places, limits: Limits, cache: Cache) -> Result<App, Violations> {
        crate::catalog::prepare();
        let cache = Arc::new(cache);
        let mut fonts = FontLibrary::builtin();
        if let Some(folder) = &places.fonts {
            fonts = fonts.with_fonts(font_files(folder)?, &limits)?;
        }
        let profiles = ProfileLibrary::new(places.profiles.clone(), cache.clone());
        Ok(App { profiles, places, fonts, limits, cache })
    }

    /// The render profiles at hand.
    pub fn profiles(&self) -> &ProfileLibrary {
        &self.profiles
    }

    /// What orders share.
    pub fn cache(&self) -> &Arc<Cache> {
        &self.cache
    }

    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// A catalog folder: the one configured, or the one nearest to a file.
    pub fn catalog_near(&self, file: &Path) -> Folder {
        let root = self.places.catalog.clone().unwrap_or_else(|| nearest(file, "catalog"));
        Folder::new(root, self.limits.src_bytes)
    }

    fn assets_near(&self, file: &Path) -> Folder {
        let root = self.places.assets.clone().unwrap_or_else(|| nearest(file, "assets"));
        Folder::new(root, self.limits.src_bytes)
    }

    /// Reads and validates an order, fetches what it needs and composes its scene.
    pub fn prepare(
        &self,
        path: &Path,
        draft: &Draft,
        control: Control<'_>,
        observe: &mut dyn FnMut(Stage),
    ) -> Result<Prepared, Violations> {
        observe(Stage::Fetch);
        let catalog = self.catalog_near(path);
        let (order, profile) = self.validate(&catalog, draft)?;
        control.check()?;
        let fetched = self.fetch(&catalog, &self.assets_near(path), plan(&order)?)?;
        control.check()?;
        observe(Stage::Layout);
        let assets = Assets::probe(fetched, &self.limits)?;
        let assets = assets.with_cache(self.cache.clone()).shown_by(order.outputs());
        let mut composed = compose(&order, &assets, &self.fonts, &self.limits, control)?;
        observe(Stage::Derive);
        let (scene, stray) = derive(composed.scene, order.profile(), &self.limits, control)?;
        composed.scene = scene;
        let used = assets.used().iter().map(|(asset, sha256, bytes)| AssetUsed {
            // What a signed address ends with opens it for anybody.
            asset: asset
                .split_once('?')
                .filter(|_| asset.contains("://"))
                .map_or(&**asset, |(plain, _)| plain)
                .to_owned(),
            sha256: sha256.clone(),
            bytes: *bytes,
        });
        Ok(Prepared { composed, stray, assets: used.collect(), order, profile })
    }

    /// Everything wrong with an order, its template and its profile, without fetching its assets.
    pub fn validate(
        &self,
        catalog: &Folder,
        draft: &Draft,
    ) -> Result<(ValidOrder, LoadedProfile), Violations> {
        let mut out = Violations::default();
        let (template, profile) = (draft.template(), draft.profile());
        let template = template.and_then(|pin| {
            out.absorb(catalog::load(catalog, pin, &self.cache).map_err(|mut violations| {
                for v in violations.0.iter_mut().filter(|v| v.code == Code::TemplateNotFound) {
                    v.pointer = Some("/template".into());
                }
                violations
            }))
        });
        let profile = profile.and_then(|name| out.absorb(self.profiles.load(name)));
        let (Some(template), Some(profile)) = (template, profile) else {
            // Without its template an order can still be told what is wrong with its form.
            out.0.extend(draft.check_form().0);
            return Err(out);
        };
        let order = draft.validate(template, profile.profile.clone())?;
        Ok((order, profile))
    }

    fn fetch(
        &self,
        catalog: &Folder,
        assets: &Folder,
        wanted: Vec<AssetRef>,
    ) -> Result<Vec<(AssetRef, Encoded)>, Violations> {
        let fetched: Vec<Result<(AssetRef, Encoded), Violation>> = wanted
            .into_par_iter()
            .map(|reference| {
                let bytes = match &reference.source {
                    Source::Catalog(path) => catalog.fetch(path),
                    Source::Order(key) => assets.fetch(key),
                };
                bytes.map_err(|v| reference.blame(v)).map(|bytes| (reference, bytes))
            })
            .collect();
        let mut out = Violations::default();
        let mut found = Vec::new();
        for result in fetched {
            found.extend(out.absorb(result));
        }
        out.or(found)
    }

    /// Renders one order's file into `out/<job_id>/`. Whatever goes wrong is in the event.
    pub fn run(
        &self,
        path: &Path,
        out: &Path,
        control: Control<'_>,
        observe: &mut dyn FnMut(Stage),
    ) -> Outcome {
        let draft = match std::fs::read(path) {
            Ok(bytes) => Draft::parse(&bytes),
            Err(e) => Err(Violation::new(
                Code::OrderMalformed,
                format!("the order's file cannot be read: {}", e.kind()),
            )),
        };
        let draft = match draft {
            Ok(draft) => draft,
            Err(violation) => return rejected(path, &violation.into()),
        };
        match self.run_draft(path, &draft, out, control, observe) {
            Ok((folder, event)) => Outcome {
                path: path.to_owned(),
                job_id: Some(draft.job_id().to_owned()),
                folder: Some(folder),
                event,
            },
            Err(violation) => {
                let event = failed(&draft, &violation.into());
                Outcome {
                    path: path.to_owned(),
                    job_id: Some(draft.job_id().to_owned()),
                    folder: None,
                    event,
                }
            }
        }
    }

    fn run_draft(
        &self,
        path: &Path,
        draft: &Draft,
        out: &Path,
        control: Control<'_>,
        observe: &mut dyn FnMut(Stage),
    ) -> Result<(PathBuf, ResultEvent), Violation> {
        let mut folder = JobFolder::begin(out, draft.job_id())?;
        let event = match self.make(path, draft, &mut folder, &|_| Ok(()), control, observe) {
            Ok(event) => event,
            Err(violations) => failed(draft, &violations),
        };
        if !event.has_files() {
            folder.clear()?;
        }
        let body = event.to_bytes().map_err(|e| unwritable(&e))?;
        folder.write("result.json", &body)?;
        Ok((folder.publish()?, event))
    }

    /// Renders an order into a destination and gives its event; where preflight refuses the files it
    /// is one of failure, and what the destination holds is to be thrown away. Before the first pixel
    /// is painted `admit` sees what the job will take, and may wait or refuse.
    pub fn make<D: Destination>(
        &self,
        path: &Path,
        draft: &Draft,
        destination: &mut D,
        admit: &dyn Fn(&Prepared) -> Result<(), Violation>,
        control: Control<'_>,
        observe: &mut dyn FnMut(Stage),
    ) -> Result<ResultEvent, Violations> {
        #[cfg(debug_assertions)]
        poison::strike(draft);
        let mut clock = StageClock::default();
        let mut tell = |stage| {
            clock.enter(stage);
            observe(stage);
        };
        let prepared = self.prepare(path, draft, control, &mut tell)?;
        admit(&prepared)?;
        let order = &prepared.order;
        let slug = slug(order.order());
        let job = Job {
            scene: &prepared.composed.scene,
            profile: order.profile(),
            outputs: order.outputs(),
            title: &order.template().name,
            press: prepared.profile.press.as_ref(),
            slug: Some((&slug, &self.fonts)),
            limits: &self.limits,
            control,
        };
        let mut inspected = Inspected::new(destination, order, &job);
        let artifacts = job.render(&mut inspected, &mut tell)?;
        let printed = |output: &Output| matches!(output, Output::Pdf | Output::Tiff | Output::Plates);
        if let Some(limit) = order.profile().color.ink_limit
            && order.outputs().iter().any(printed)
        {
            for surface in &prepared.composed.scene.surfaces {
                if let Some(peak) = job.ink_coverage(surface)? {
                    inspected.weigh(&surface.name, peak, limit);
                }
            }
        }
        if order.outputs().iter().any(printed) {
            inspected.find_bare()?;
        }
        if order.outputs().iter().any(|output| printed(output) || *output == Output::Svg) {
            prepared.stray.iter().for_each(|stray| inspected.find_stray(stray));
        }
        inspected.find_specks()?;
        inspected.find_blanks()?;
        let mut findings = prepared.composed.findings;
        let (found, refused) = inspected.findings();
        for found in found {
            // A picture that was weighed when it was placed is not named again, unless that was milder.
            let again =
                found.code == Rule::ImageLow.as_str() && findings.iter().any(|known| known.covers(&found));
            if !again {
                findings.push(found);
            }
        }
        let mut data = ResultData::of(order.order());
        let verdict = findings.iter().map(|f| f.verdict).max().unwrap_or(Verdict::Pass);
        let kind = match verdict {
            Verdict::Pass | Verdict::Warn => EventType::Completed,
            Verdict::Hold => EventType::Held,
            Verdict::Fail => EventType::Failed,
        };
        data.order_digest = Some(draft.digest());
        // What is not good to print is not delivered.
        data.artifacts = if kind == EventType::Failed { Vec::new() } else { artifacts };
        data.errors = refused.0.iter().map(EventError::from).collect();
        data.assets = prepared.assets;
        data.preflight = Some(Preflight { verdict, findings });
        data.timings = clock.finish();
        data.template_digest = Some(order.template().digest.clone());
        data.profile_digest = Some(prepared.profile.digest);
        if let Some(whole) = data.abridge()
            && kind != EventType::Failed
        {
            let body = serde_json::to_vec_pretty(&whole).map_err(|e| unwritable(&e))?;
            let mut file = destination.create(REPORT)?;
            file.write_all(&body).map_err(|e| sink_failed(&e))?;
            data.report = Some(destination.finish(REPORT, file)?);
        }
        Ok(ResultEvent::new(kind, event_id(draft.job_id(), order.order().revision), data))
    }
}

fn unwritable(error: &serde_json::Error) -> Violation {
    Violation::new(Code::InternalError, format!("the result cannot be written: {error}"))
}

/// What a slug line says: the run, and the shop's own names for it.
fn slug(order: &crate::order::Order) -> String {
    let mut words = vec![format!("{}.{}", order.job_id, order.revision)];
    words.extend(order.order_ref.iter().map(|name| format!("order {name}")));
    words.extend(order.item_ref.iter().map(|name| format!("item {name}")));
    words.extend([order.template.clone(), order.profile.clone()]);
    words.join("  ")
}

fn rejected(path: &Path, violations: &Violations) -> Outcome {
    let body = std::fs::read(path).unwrap_or_default();
    Outcome { path: path.to_owned(), job_id: None, folder: None, event: rejected_event(&body, violations) }
}

fn font_files(folder: &Path) -> Result<Vec<Arc<[u8]>>, Violations> {
    let unreadable = |e: std::io::Error| {
        Violation::new(Code::FontInvalid, format!("the fonts' folder cannot be read: {}", e.kind()))
    };
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).map_err(unreadable)?.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| {
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
        matches!(extension.as_str(), "ttf" | "otf" | "ttc" | "otc")
    });
    files.sort();
    files.into_iter().map(|path| Ok(Arc::from(std::fs::read(path).map_err(unreadable)?))).collect()
}
