from curate.errors import Problem, RateLimited, RecipeError, RetryableError


def test_all_problems_are_told_at_once() -> None:
    error = RecipeError("recipe.yaml", [Problem("a.b", "got 0", "Use 1"), Problem("c", "missing")])
    assert str(error) == "recipe.yaml: 2 to fix\n  - a.b: got 0. Use 1\n  - c: missing"
    assert error.problems[0].fix == "Use 1"


def test_a_class_knows_whether_asking_again_helps() -> None:
    assert isinstance(RateLimited("slow down", retry_after_s=2.0), RetryableError)
