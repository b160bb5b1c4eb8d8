"""Tables and manifests that list clips. Each kind is one file and one line here; the first that matches is used."""

from spectronorm.audio.places.manifests.audacity import Audacity as Audacity
from spectronorm.audio.places.manifests.audio_folder import AudioFolder as AudioFolder
from spectronorm.audio.places.manifests.common_voice import CommonVoice as CommonVoice
from spectronorm.audio.places.manifests.kaldi import KaldiManifest as KaldiManifest
from spectronorm.audio.places.manifests.lhotse import LhotseManifest as LhotseManifest
from spectronorm.audio.places.manifests.lhotse import Shar as Shar
from spectronorm.audio.places.manifests.manifest import MANIFESTS as MANIFESTS
from spectronorm.audio.places.manifests.nemo import Nemo as Nemo
from spectronorm.audio.places.manifests.raven import BirdNet as BirdNet
from spectronorm.audio.places.manifests.raven import Raven as Raven
from spectronorm.audio.places.manifests.speechbrain import SpeechBrainCsv as SpeechBrainCsv
from spectronorm.audio.places.manifests.speechbrain import SpeechBrainJson as SpeechBrainJson
