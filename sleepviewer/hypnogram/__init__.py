"""One scorer's stages per 30-s epoch; readers and writers, one file per format."""
