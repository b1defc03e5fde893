"""The layers that lie under the expert's own: truth, model's scoring, whose label counts; and hiding them from her."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from sleepviewer.errors import AlignmentError, BlindedError, ReviewError
from sleepviewer.hypnogram.base import Hypnogram
from sleepviewer.review.blinding import NOT_BLINDED, Blinding
from sleepviewer.review.change import Change
from sleepviewer.review.marking import now
from sleepviewer.review.state import Base
from sleepviewer.review.steps import BaseChosen, Blinded, PredictionLaid, Step, TruthLaid, Unblinded
from sleepviewer.scoring.base import Prediction
from sleepviewer.stages import N_STAGES, Proba, Stage, StageArray


class Layers:
    """Truth, prediction and base of a document.

    While its scorer is blinded they are kept but not shown: whoever asks is told that there is none.
    """

    n_epochs: int

    def __init__(self) -> None:
        self._truth: Hypnogram | None = None
        self._prediction: Prediction | None = None
        self._provisional: NDArray[np.float32] | None = None
        self._base = Base.NONE
        self._settled_base = Base.NONE  # the one that was saved, or that nobody chose
        self._base_is_chosen = False
        self._blinding = NOT_BLINDED

    @abstractmethod
    def _tell(self, change: Change) -> None:
        """Call the listeners."""

    @abstractmethod
    def _record(self, step: Step) -> None:
        """Have a step kept before it is taken."""

    @abstractmethod
    def _check_writable(self) -> None:
        """Raise ReadOnlyError where nothing can be edited."""

    @property
    @abstractmethod
    def _n_edits(self) -> int:
        """How many commands are in force."""

    # -- blinding

    @property
    def blinding(self) -> Blinding:
        """Whether and since when others' scorings are hidden."""
        return self._blinding

    @property
    def blinded(self) -> bool:
        """Whether others' scorings are hidden now."""
        return self._blinding.active

    def blind(self, *, seen: bool | None = None) -> None:
        """Hide truth and prediction until :meth:`unblind`; every edit from now on is marked as made blind.

        ``seen`` says whether any of them was in view before (default: whether there is any). Raises ReviewError where
        this review was unblinded already, ReadOnlyError as every edit does.
        """
        if self.blinded:
            return
        self._check_writable()
        if self._blinding.since:
            raise ReviewError("This review was blinded and unblinded already: what was seen can't be unseen.")
        seen = (self._truth is not None or self._prediction is not None) if seen is None else seen
        blinding = Blinding(now(), "", seen, self._n_edits)
        self._record(Blinded(blinding))
        self._set_blinding(blinding)

    def unblind(self) -> None:
        """Show what was hidden; that is for good. Raises ReadOnlyError as every edit does."""
        if not self.blinded:
            return
        self._check_writable()
        was = self._blinding
        blinding = Blinding(was.since, now(), was.seen_before, was.edits_before)
        self._record(Unblinded(blinding))
        self._set_blinding(blinding)

    def _set_blinding(self, blinding: Blinding) -> None:
        self._blinding = blinding
        for change in (Change.BLINDING, Change.TRUTH, Change.PREDICTION, Change.BASE, Change.EDITS):
            self._tell(change)

    @property
    def kept_truth(self) -> Hypnogram | None:
        """The expert's hypnogram even where it is hidden: to be saved, never to be shown."""
        return self._truth

    @property
    def kept_prediction(self) -> Prediction | None:
        """The model's scoring even where it is hidden: to be saved, never to be shown."""
        return self._prediction

    @property
    def kept_base(self) -> Base:
        """Whose label counts once nothing is hidden any more."""
        return self._base

    # -- the layers

    @property
    def truth(self) -> Hypnogram | None:
        """The expert's hypnogram that came with the night, aligned to its epochs; None while it is hidden."""
        return None if self.blinded else self._truth

    def set_truth(self, truth: Hypnogram | None) -> None:
        """Lay an expert's hypnogram under the night; it becomes the base unless one was chosen already.

        Raises AlignmentError where it has another number of epochs (align it first).
        """
        if truth is not None:
            self._check_length(len(truth), "The hypnogram")
        self._record(TruthLaid(truth))
        self._truth = truth
        self._tell(Change.TRUTH)
        if truth is not None and self._base is Base.NONE and not self._base_is_chosen:
            self._settle_base(Base.TRUTH)
        elif truth is None and self._base is Base.TRUTH:
            self._settle_base(Base.NONE)

    @property
    def prediction(self) -> Prediction | None:
        """The model's scoring; None while it is hidden."""
        return None if self.blinded else self._prediction

    def set_prediction(self, prediction: Prediction | None) -> None:
        """Lay a model's scoring under the night; it becomes the base where there is none yet.

        Raises AlignmentError where it has another number of epochs.
        """
        if prediction is not None:
            self._check_length(len(prediction), "The model's scoring")
        self._record(PredictionLaid(prediction))
        self._prediction = prediction
        self._provisional = None
        self._tell(Change.PREDICTION)
        if prediction is not None and self._base is Base.NONE and self._truth is None and not self._base_is_chosen:
            self._settle_base(Base.MODEL)

    @property
    def proba(self) -> Proba | None:
        """Probabilities to show, ``float32 [n_epochs, 5]``: those coming in while a model scores, else the model's."""
        if self.blinded:
            return None
        if self._provisional is not None:
            return self._provisional
        return None if self._prediction is None else self._prediction.proba

    def add_provisional(self, first_epoch: int, proba: Proba) -> None:
        """Show some epochs' probabilities while scoring goes on; :meth:`set_prediction` replaces them."""
        if self._provisional is None:
            self._provisional = np.full((self.n_epochs, N_STAGES), np.nan, dtype=np.float32)
        self._provisional[first_epoch : first_epoch + len(proba)] = proba
        self._tell(Change.PROVISIONAL)

    def drop_provisional(self) -> None:
        """Forget the probabilities of a scoring that was cancelled or failed; the last whole one shows again."""
        if self._provisional is not None:
            self._provisional = None
            self._tell(Change.PROVISIONAL)

    @property
    def base(self) -> Base:
        """Whose label counts where there is no corrected one; nobody's while they are hidden."""
        return Base.NONE if self.blinded else self._base

    def set_base(self, base: Base) -> None:
        """Choose whose label counts where there is no corrected one.

        Raises ReadOnlyError as every edit does, BlindedError while the others' labels are hidden.
        """
        self._check_writable()
        if self.blinded:
            raise BlindedError("Others' scorings are hidden from you until you are done: your own labels alone count.")
        self._record(BaseChosen(base))
        self._base_is_chosen = True
        self._change_base(base)

    def _change_base(self, base: Base) -> None:
        if base is not self._base:
            self._base = base
            self._tell(Change.BASE)

    def _settle_base(self, base: Base) -> None:
        self._settled_base = base
        self._change_base(base)

    @property
    def base_is_chosen(self) -> bool:
        """Whether the base was chosen, and not only came with the first truth or scoring."""
        return self._base_is_chosen

    @property
    def base_stages(self) -> StageArray:
        """The base's stages, ``int8 [n_epochs]``, UNKNOWN where it has none."""
        if self.base is Base.TRUTH and self._truth is not None:
            return self._truth.stages
        if self.base is Base.MODEL and self._prediction is not None:
            return self._prediction.stages
        return np.full(self.n_epochs, int(Stage.UNKNOWN), dtype=np.int8)

    def _check_length(self, length: int, what: str) -> None:
        if length != self.n_epochs:
            raise AlignmentError(f"{what} has {length} epochs, the recording {self.n_epochs}; align it by clock time.")
