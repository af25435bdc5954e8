"""Execute what was handed in, each in a kernel of its own, and say what became of each exercise."""

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

import nbformat

from tools.course import read
from tools.grading import audit
from tools.grading.assemble import Verdict, assemble, verdicts
from tools.grading.submissions import Submission, file_name
from tools.run.batch import Run, execute_all
from tools.run.cluster import Cluster
from tools.run.done import BEFORE
from tools.run.executor import TOO_MUCH
from tools.run.limits import Limits
from tools.run.result import Result
from tools.terminal import ToolError

# The lesson before the exercises runs on little data: the checks hold for any parameters.
SHORT = {"limit": "600", "max_epochs": "1"}
LIMITS = Limits(seconds=300, memory_mb=4000, output_mb=5, cell_seconds=30)
Calls = dict[Path, dict[str, list[audit.Call]]]  # by chapter and exercise


@dataclass
class Graded:
    """A submission and what became of each exercise; none if it could not be graded."""

    submission: Submission
    verdicts: list[Verdict] = field(default_factory=list)
    seconds: float = 0

    @property
    def points(self) -> float:
        """What the student gets."""
        return sum(v.exercise.points for v in self.verdicts if v.solved)

    @property
    def possible(self) -> float:
        """What can be had."""
        return sum(v.exercise.points for v in self.verdicts)


@dataclass(kw_only=True)
class GradingRun(Run):
    """A run whose notebooks are written from submissions as it comes to them."""

    submissions: dict[Path, Submission]
    calls: Calls
    graded: dict[Path, Graded] = field(default_factory=dict)

    def execute(self, notebook: Path) -> Result:
        """Grade one submission; an answer that ends the kernel is left out in a second attempt."""
        submission = self.submissions[notebook]
        assert submission.chapter is not None
        calls = self.calls[submission.chapter]
        answers, fatal, seconds = dict(submission.answers), dict[str, str](), 0.0
        while True:
            nbformat.write(assemble(submission.chapter, answers, calls), notebook)
            result = super().execute(notebook)
            seconds += result.seconds
            found = verdicts(submission.chapter, Path(result.output), answers, calls)
            culprit = to_blame(found)
            if culprit is None or result.status == "stopped":
                break
            fatal[culprit] = what_happened(result)
            del answers[culprit]
        for verdict in found:
            verdict.sentence = fatal.get(verdict.exercise.id, verdict.sentence)
        graded = Graded(submission, found, seconds)
        if result.status == "stopped":
            graded = Graded(replace(submission, problem="the run was stopped before"), [], seconds)
        self.graded[notebook] = graded
        message = f"{graded.points:g} of {graded.possible:g} points"
        if result.message == BEFORE:
            message += f", {BEFORE}"
        return replace(result, status="graded", message=message, seconds=seconds)

    def is_done(self, notebook: Path, result: Result) -> bool:
        """Whether each cell came to its end, be it an error."""
        submission = self.submissions[notebook]
        assert submission.chapter is not None
        calls = self.calls[submission.chapter]
        found = verdicts(submission.chapter, Path(result.output), submission.answers, calls)
        return result.status in ("ok", "failed") and to_blame(found) is None


def to_blame(found: list[Verdict]) -> str | None:
    """The exercise that kept later ones from being reached, if there is one."""
    for i, verdict in enumerate(found):
        if not verdict.ended:
            is_in_the_way = any(not later.reached for later in found[i:])
            return verdict.exercise.id if is_in_the_way else None
    return None


def what_happened(result: Result) -> str:
    """Why the cells after an answer were not reached."""
    if "the kernel died" in result.message:
        return "the kernel ended: the code ended its process, or took too much memory"
    if TOO_MUCH in result.message:
        return f"it shows more than {LIMITS.output_mb:g} MB"
    if result.status == "failed":  # it could not even be interrupted
        return "not done in time"
    return result.message


@dataclass
class Grader:
    """Grades submissions, in a folder of its own, whose contents only `resume` makes use of.

    Args:
        isolated: whether each kernel is in a sandbox; else it can do whatever the user can.
        parameters: values for the parameters of the chapters.
        jobs: submissions at a time.
        stop: when set, no submission is begun any more, and those that run are ended.
        preload: whether kernels are forked from a process with all imports, where there is fork.
        cluster: the workers that execute the submissions; None for this machine.
        resume: whether what was graded before, and has not changed, is taken as it is.
    """

    folder: Path
    isolated: bool
    parameters: dict[str, str] = field(default_factory=lambda: dict(SHORT))
    limits: Limits = LIMITS
    jobs: int = 2
    stop: threading.Event = field(default_factory=threading.Event)
    preload: bool = True
    cluster: Cluster | None = None
    resume: bool = False

    def grade(self, submissions: list[Submission]) -> list[Graded]:
        """Grade all that can be graded; the others keep the problem that says why not."""
        gradable = [submission for submission in submissions if submission.chapter]
        calls = self.record_calls(sorted({s.chapter for s in gradable if s.chapter}))
        root = self.folder / "submissions"
        root.mkdir(parents=True, exist_ok=True)
        files: dict[Path, Submission] = {}
        for submission in gradable:
            path = root / f"{file_name(submission.name)}.ipynb"
            while path in files:  # two students whose names are the same as names of files
                path = path.with_stem(path.stem + "_")
            files[path] = submission
        run = GradingRun(
            root.with_name("executed"),
            self.parameters,
            root,
            self.limits,
            own_folders=not self.isolated,
            isolated=self.isolated,
            stop=self.stop,
            preload=self.preload,
            cluster=self.cluster,
            resume=self.resume,
            submissions=files,
            calls=calls,
        )
        run.folder.mkdir(exist_ok=True)
        if files:
            execute_all(run, list(files), self.jobs, self.folder / "report.json")
        by_submission = {id(files[path]): graded for path, graded in run.graded.items()}
        stopped = "the run was stopped before"
        for submission in gradable:
            if id(submission) not in by_submission:
                by_submission[id(submission)] = Graded(replace(submission, problem=stopped))
        return [by_submission.get(id(s), Graded(s)) for s in submissions]

    def record_calls(self, chapters: list[Path]) -> Calls:
        """Execute each chapter with our own solutions, which are right, and note their calls."""
        root = self.folder / "recordings"
        root.mkdir(parents=True, exist_ok=True)
        run = Run(root.with_name("recorded"), self.parameters, root, Limits(), stop=self.stop)
        run.preload, run.cluster, run.resume = self.preload, self.cluster, self.resume
        run.folder.mkdir(exist_ok=True)
        for chapter in chapters:
            path = root / chapter.name
            if not (self.resume and audit.is_recording(path, chapter)):
                nbformat.write(audit.recording(chapter), path)
        notebooks = [root / chapter.name for chapter in chapters]
        results = execute_all(run, notebooks, self.jobs, root.with_name("recorded.json"))
        for result in results:
            if result.status != "ok":
                raise ToolError(f"Our own {result.notebook} is {result.status}: {result.message}")
        if len(results) < len(chapters):
            raise ToolError("The run was stopped before anything was graded.")
        return {chapter: audit.recorded(read(run.folder / chapter.name)) for chapter in chapters}
