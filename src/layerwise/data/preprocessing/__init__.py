"""Raw rows to matrices and back: fitted on the training rows, applied to all.

What changes a batch each time it is drawn is in `data.transforms`.
"""
