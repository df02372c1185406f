"""Where raw rows come from: files found or downloaded, images, ratings, documents.

Nothing is fitted here; that is `data.preprocessing`.
"""
