//! What painting a scene takes at its peak, from headers alone.

use crate::asset::Picture;
use crate::config::WORK_BYTES;
use crate::scene::{BlendSpace, Node, Scene};
use std::collections::BTreeMap;

/// An upper bound of the bytes a job takes: the dearest surface's decoded pictures, their sources,
/// and what every job needs. Pictures live while their surface is
/// painted, but for the few MiB that outputs share.
pub(super) fn peak_bytes(scene: &Scene) -> u64 {
    let dearest = scene.surfaces.iter().map(|surface| {
        let mut pictures = BTreeMap::new();
        collect(&surface.nodes, &mut pictures);
        let bytes = pictures.values().sum::<u64>();
        match surface.blend_space {
            BlendSpace::Srgb => bytes,
            // Plates hold a picture once in cyan, magenta and yellow, and once in black.
            BlendSpace::Process => bytes.saturating_add(bytes / 2),
        }
    });
    WORK_BYTES.saturating_add(dearest.max().unwrap_or(0))
}

fn collect(nodes: &[Node], pictures: &mut BTreeMap<[u8; 32], u64>) {
    for node in nodes {
        match node {
            Node::Group(group) => {
                collect(&group.nodes, pictures);
                if let Some(mask) = &group.mask {
                    collect(&mask.nodes, pictures);
                }
            }
            Node::Pattern(pattern) => collect(&pattern.cell.nodes, pictures),
            Node::Image(image) => {
                for picture in std::iter::once(&image.picture).chain(&image.matte) {
                    pictures.insert(picture.sha256(), decoded(picture));
                }
            }
            // An underbase is painted from the art's own pictures, in a pass of its own.
            Node::Path(_) | Node::Filter(_) | Node::Separation(_) => {}
        }
    }
}

/// Eight bytes a pixel: four samples of up to 16 bits. Turning a picture upright holds two copies,
/// and the encoded source is read whole.
fn decoded(picture: &Picture) -> u64 {
    let (width, height) = picture.size();
    let pixels = u64::from(width) * u64::from(height);
    pixels.saturating_mul(8).saturating_add(picture.encoded().len())
}
