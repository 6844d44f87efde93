"""Plain evaluations on meshes and by angle, and the timing and printing of comparisons."""

import time

import numba
import numpy as np

MU = -0.65
#: Mesh points along each direction, and width in eV of a histogram's bin: about the best one, since
#: narrower bins hold few points and wider ones bend the density of states.
SIZE, BIN = 2000, 1e-2
#: A turn repeats its function until it has taken this much CPU time in s.
TURN = 0.02

# Like numpy in `make bench`, so that no thread burns time in waiting for another one.
numba.set_num_threads(1)


def side_by_side(functions, rounds):
    """CPU times of functions that take turns, and their ratios to the first one's.

    The time that the processor gives to other programs does not count, and what else they do to it
    (caches, clock) hits neighbouring turns alike: a ratio is taken within each round.

    Parameters
    ----------
    functions : sequence of callable
        Called without arguments.
    rounds : int
        How often each has its turn; with three or more, a slow first call drops out.

    Returns
    -------
    times, ratios : ndarray, shape (functions,)
        Medians over the rounds, of the times of one call in ms, and of the ratios.
    """
    return medians([[cpu_time(function) for function in functions] for _ in range(rounds)])


def cpu_time(function):
    """CPU time of one call in ms, all threads together."""
    calls, start = 0, time.process_time()
    while True:
        function()
        calls += 1
        taken = time.process_time() - start
        if taken > TURN:
            return 1e3 * taken / calls


def medians(times):
    """Medians over rounds of times (rounds, functions), and of their ratios to the first."""
    times = np.array(times)
    return np.median(times, axis=0), np.median(times / times[:, :1], axis=0)


def bands(cosine_x, cosine_y):
    """LK Eq. 5 with the parameters of Fig. 2: energies of α and β, and η²."""
    eta_squared = (cosine_x - cosine_y) ** 2
    common = -0.9 * (cosine_x + cosine_y) + 0.96 * cosine_x * cosine_y
    common = common - 0.24 * (cosine_x**2 + cosine_y**2 - 1)
    return (common + 0.4 * eta_squared, common + 0.1 * eta_squared), eta_squared


def mesh():
    """Energies of both bands and η² on SIZE² momenta."""
    cosine = np.cos(2 * np.pi * np.arange(SIZE) / SIZE)
    return bands(cosine[:, None], cosine)


def histogram(energies, eta_squared):
    """η² of the mesh points of one band in a bin round MU, and what each adds to the density."""
    inside = np.abs(energies - MU) < BIN / 2
    chosen = eta_squared[inside]
    return chosen, np.full(len(chosen), 1 / (SIZE**2 * BIN))


def triangles(energies, eta_squared):
    """Density of states and its η²-weighted form by linear interpolation on triangles."""
    total = np.zeros(2)
    below = energies < MU
    for corners in (((0, 0), (1, 0), (0, 1)), ((1, 1), (1, 0), (0, 1))):
        shifted = [np.roll(below, (-i, -j), (0, 1)) for i, j in corners]
        rows, columns = np.nonzero((shifted[0] != shifted[1]) | (shifted[0] != shifted[2]))
        places = [((rows + i) % SIZE, (columns + j) % SIZE) for i, j in corners]
        e = np.array([energies[place] for place in places])
        order = np.argsort(e, axis=0)
        e = np.take_along_axis(e, order, 0)
        w = np.take_along_axis(np.array([eta_squared[place] for place in places]), order, 0)
        # Mirrored in energy, triangles cut above their middle corner are like those cut below.
        above = e[1] < MU
        e, w = np.where(above, -e[::-1], e), np.where(above, w[::-1], w)
        level = np.where(above, -MU, MU)
        s, t = (level - e[0]) / (e[1] - e[0]), (level - e[0]) / (e[2] - e[0])
        share = s / (e[2] - e[0])
        middle = w[0] + (s * (w[1] - w[0]) + t * (w[2] - w[0])) / 2
        total += share.sum(), (share * middle).sum()
    return total / SIZE**2


def reference(count=800):
    """η² and weights of points on both Fermi lines by angle: exact to rounding, and independent.

    Each line is star-shaped, α round Γ and β round M, so that the density of states is the
    integral of r / (∂E/∂r) over the angle, by a rule that converges exponentially.
    """
    angle = 2 * np.pi * (np.arange(count) + 0.5) / count
    sides = []
    for band, center, start in ((0, 0.0, 1.34), (1, np.pi, 2.8)):
        directions = np.cos(angle), np.sin(angle)
        radius = np.full(count, start)
        for _ in range(20):
            # An imaginary step gives the derivative without a difference of close numbers.
            cosines = [np.cos(center + (radius + 1e-30j) * d) for d in directions]
            energy = bands(*cosines)[0][band]
            slope = energy.imag / 1e-30
            radius = radius - (energy.real - MU) / slope
        cosines = [np.cos(center + radius * d) for d in directions]
        weights = radius / np.abs(slope) / (2 * np.pi * count)
        sides.append((bands(*cosines)[1], weights))
    return sides


def densities(side):
    """Density of states and its η²-weighted form from points and weights."""
    eta_squared, weights = side
    return np.array([weights.sum(), weights @ eta_squared])


def relative_error(found, exact):
    return float(np.abs(np.asarray(found) / exact - 1).max())


def print_table(title, columns, rows):
    """Print numbers side by side, each row with its name."""
    print(f"\n\n{title}\n{'':<34}" + "".join(f"{c:>16}" for c in columns))
    for name, *numbers in rows:
        print(f"{name:<34}" + "".join(f"{n:>16}" for n in numbers))
