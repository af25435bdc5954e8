"""How the course's figures look, set in one place.

The colours are those of Okabe and Ito (2008), which the colour-blind can tell apart. Lines differ
in their style as well, so that a grey print will do. The background is white, on dark pages too.
"""

from functools import cache

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LINE_STYLES = ("-", "--", "-.", ":", "-", "--", "-.")


@cache
def use_style() -> None:
    """Give matplotlib the course's style, once; what a learner sets afterwards stays."""
    import matplotlib as mpl
    from cycler import cycler

    mpl.rcParams.update(
        {
            "axes.prop_cycle": cycler(color=COLORS) + cycler(linestyle=LINE_STYLES),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlesize": "medium",
            "figure.facecolor": "white",
            "figure.titlesize": "medium",
            "grid.alpha": 0.4,
            "legend.frameon": False,
            "lines.linewidth": 1.5,
        }
    )
