"""Explorer: a page on this machine to look at and listen to the clips of a source (extra `explore`).

`collection` holds what is shown, `server` answers the page's requests, and `page/` is the page itself.
"""
