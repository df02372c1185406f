from .gan import render_gan_demo as render_gan_demo
from .rbm import render_rbm_demo as render_rbm_demo
from .vae import DEMO_ACTIVATIONS as DEMO_ACTIVATIONS, render_vae_demo as render_vae_demo
