"""The GAN objectives: every module here registers its own, and is found by being here."""
