from .adversarial import AdversarialSettings as AdversarialSettings
from .gan import GANSettings as GANSettings, TableSettings as TableSettings
