//! A shop whose orders cost almost nothing, for tests that need many of them: a small tag with a name,
//! one with a photo, and a poster whose PDF is large enough to leave in parts.
use crate::support::bucket::BUCKET;
use crate::support::fleet::Fleet;
use presswork::app::{App, Places};
use presswork::asset::Limits;
use presswork::control::Control;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The kinds of order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Tag,
    Photo,
    /// Its PDF has two parts.
    Poster,
}

pub(crate) const KINDS: [Kind; 3] = [Kind::Tag, Kind::Photo, Kind::Poster];

/// The hashes of an order's files, by their names.
pub(crate) type Files = BTreeMap<String, String>;

/// The shop, in a folder of its own.
#[derive(Debug, Clone)]
pub(crate) struct Tiny {
    folder: PathBuf,
}

impl Tiny {
    /// Opens the shop in the fleet's folder and uploads its assets.
    pub(crate) async fn open(fleet: &Fleet) -> Tiny {
        let tiny = Tiny { folder: fleet.folder.path().join("tiny") };
        tiny.write("profiles/tiny.toml", PROFILE.as_bytes());
        tiny.write("catalog/tag/1/template.json", tag().to_string().as_bytes());
        tiny.write("catalog/poster/1/template.json", poster().to_string().as_bytes());
        for (name, side) in [("small.jpg", 120), ("noise.jpg", 1540)] {
            let body = noise(side);
            tiny.write(&format!("assets/{name}"), &body);
            let request = fleet.bucket.put_object().bucket(BUCKET).key(format!("assets/{name}"));
            request.body(body.into()).send().await.unwrap();
        }
        tiny
    }

    /// Adds a banner and its picture, `large.jpg`: its PDF has more parts than may wait for the network.
    pub(crate) async fn large(&self, fleet: &Fleet) {
        let mut banner = poster();
        for side in ["width", "height"] {
            banner["surfaces"][0][side] = 520.into();
        }
        self.write("catalog/banner/1/template.json", banner.to_string().as_bytes());
        let request = fleet.bucket.put_object().bucket(BUCKET).key("assets/large.jpg");
        request.body(noise(3080).into()).send().await.unwrap();
    }

    fn write(&self, path: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Settings of a program that works for this shop.
    pub(crate) fn settle(&self, command: &mut Command) {
        command.env("PRESSWORK_CATALOG", self.at("catalog")).env("PRESSWORK_PROFILES", self.at("profiles"));
    }

    /// An order's file; `change` may make another order of it.
    pub(crate) fn order(&self, kind: Kind, job: &str, change: impl FnOnce(&mut Value)) -> PathBuf {
        let mut order = order(kind, job);
        change(&mut order);
        self.write(&format!("orders/{job}-{:x}.json", fingerprint(&order)), order.to_string().as_bytes())
    }

    /// The files of every kind, rendered without a fleet.
    pub(crate) fn expected(&self) -> BTreeMap<Kind, Files> {
        let places = Places {
            catalog: Some(self.at("catalog")),
            profiles: Some(self.at("profiles")),
            assets: Some(self.at("assets")),
            fonts: None,
        };
        let app = App::new(places, Limits::default()).unwrap();
        let files = |kind| {
            let path = self.order(kind, "EXPECTED", |_| {});
            let event = app.run(&path, &self.at("expected"), Control::NONE, &mut |_| {}).event;
            assert!(event.data.errors.is_empty(), "{:?}", event.data.errors);
            (kind, event.data.artifacts.into_iter().map(|a| (a.uri, a.sha256)).collect())
        };
        KINDS.into_iter().map(files).collect()
    }
}

/// Settings under which a renderer that hoards memory dies before the machine suffers.
pub(crate) fn bounded(command: &mut Command) {
    let program = command.get_program().to_owned();
    let variables = command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    let variables: Vec<_> = variables.collect();
    *command = Command::new("sh");
    command
        .args(["-c", "ulimit -d 3000000; exec \"$0\" worker"])
        .arg(program)
        .env_clear()
        .envs(variables)
        .env("PRESSWORK_MAX_SRC_PIXELS", "30000000")
        .env("PRESSWORK_MAX_SRC_BYTES", "20000000")
        .env("PRESSWORK_MEMORY_BUDGET", "1500000000");
}

fn fingerprint(order: &Value) -> u64 {
    order.to_string().bytes().fold(7, |sum, byte| crate::support::faults::scrambled(sum ^ u64::from(byte)))
}

const PROFILE: &str = "schema = \"presswork.profile/1\"\ntitle = \"Tiny\"\ndpi = 100\n\
                       outputs = [\"pdf\", \"png\"]\n[color]\nspace = \"srgb\"\n";

fn tag() -> Value {
    json!({
        "schema": "presswork.template/1", "name": "Tag", "profiles": ["tiny"],
        "fields": {
            "name": { "type": "text", "by": "customer", "label": "Name", "max_chars": 12, "required": true },
            "photo": { "type": "image", "by": "customer", "label": "Photo" },
        },
        "surfaces": [{ "name": "front", "width": 24, "height": 12, "layers": [
            { "id": "ground", "shape": { "shape": { "rect": {} }, "fill": "#e8f0ea" } },
            { "id": "photo", "box": { "x": 1, "y": 1, "width": 9, "height": 10 },
              "when": { "field": "photo", "given": true }, "photo": { "field": "photo" } },
            { "id": "name", "box": { "x": 11, "y": 3, "width": 12, "height": 6 },
              "text": { "content": "{name}", "font": { "family": "Libertinus Serif" }, "size": 8, "fill": "#203040" } },
        ]}],
    })
}

fn poster() -> Value {
    json!({
        "schema": "presswork.template/1", "name": "Poster", "profiles": ["tiny"],
        "fields": { "photo": { "type": "image", "by": "customer", "label": "Photo", "required": true } },
        "surfaces": [{ "name": "front", "width": 260, "height": 260, "layers": [
            { "id": "photo", "photo": { "field": "photo" } },
        ]}],
    })
}

fn order(kind: Kind, job: &str) -> Value {
    let (template, outputs, customization) = match kind {
        Kind::Tag => ("tag@1", json!(["pdf", "png"]), json!({ "name": "Ada" })),
        Kind::Photo => ("tag@1", json!(["png"]), json!({ "name": "Bo", "photo": { "asset": "small.jpg" } })),
        Kind::Poster => ("poster@1", json!(["pdf"]), json!({ "photo": { "asset": "noise.jpg" } })),
    };
    json!({
        "schema": "presswork.order/1", "job_id": job, "template": template, "profile": "tiny",
        "outputs": outputs, "customization": customization,
    })
}

/// A square JPEG of noise, which no encoder can make small and a PDF takes as it is.
fn noise(side: u16) -> Vec<u8> {
    let bytes = usize::from(side) * usize::from(side) * 3;
    let words =
        (0..bytes.div_ceil(8) as u64).flat_map(|n| crate::support::faults::scrambled(n).to_le_bytes());
    let pixels: Vec<u8> = words.take(bytes).collect();
    let mut jpeg = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut jpeg, 100);
    encoder.encode(&pixels, side, side, jpeg_encoder::ColorType::Rgb).unwrap();
    jpeg
}

/// Several paths as an argument list.
pub(crate) fn texts(paths: &[PathBuf]) -> Vec<&str> {
    paths.iter().map(|path: &PathBuf| -> &Path { path }).map(|path| path.to_str().unwrap()).collect()
}
