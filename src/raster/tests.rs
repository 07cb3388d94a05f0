//! Scenes painted and looked at, pixel by pixel.
