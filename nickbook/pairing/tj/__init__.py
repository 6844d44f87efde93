"""Mean field of the bilayer t-J model, GLYWH Eqs. 35-48."""

from nickbook.pairing.tj.gutzwiller import (
    GutzwillerFactors,
    ProjectedTJModel,
    gutzwiller_factors,
)
from nickbook.pairing.tj.model import CONVENTIONS
from nickbook.pairing.tj.search import TJModel, tj_critical_temperature, tj_mean_field
from nickbook.pairing.tj.solution import PairAmplitudes, TJSolution

__all__ = [
    "CONVENTIONS",
    "GutzwillerFactors",
    "PairAmplitudes",
    "ProjectedTJModel",
    "TJModel",
    "TJSolution",
    "gutzwiller_factors",
    "tj_critical_temperature",
    "tj_mean_field",
]
