from sleepviewer.api import compare as compare
from sleepviewer.api import engines as engines
from sleepviewer.api import export as export
from sleepviewer.api import open as open
from sleepviewer.api import read_hypnogram as read_hypnogram
from sleepviewer.api import read_review as read_review
from sleepviewer.api import score as score
from sleepviewer.api import simulate as simulate
from sleepviewer.api import statistics as statistics

__version__: str
