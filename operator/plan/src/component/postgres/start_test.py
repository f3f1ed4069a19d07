"""What `start.py` makes of a volume and of what Patroni says of the cluster. `cargo test` runs it."""

import os
import sys
import tempfile
import unittest

SCRIPT = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "start.py")).read()
DEFINITIONS = SCRIPT.split("\nforget_old_address()\n")[0]


def control(identity="7", checkpoint="0/14E0000", timeline="1", state="in production"):
    return (
        f"Database system identifier:           {identity}\n"
        f"Database cluster state:               {state}\n"
        f"Latest checkpoint location:           {checkpoint}\n"
        f"Latest checkpoint's TimeLineID:       {timeline}\n"
    )


CLONE = control(checkpoint="0/2000080", state="in archive recovery")


class Look:
    """One look at a volume with these data and this mark, in a cluster with this identity."""

    def __init__(self, identity, data=False, mark=False, told=None, waited=0, pod="x-0"):
        script = {}
        exec(compile(DEFINITIONS, "start.py", "exec"), script)
        folder = tempfile.mkdtemp()
        script["DATA"], script["UNFINISHED"] = folder + "/postgres", folder + "/.unfinished"
        os.environ["PATRONI_NAME"] = pod
        for wanted, path in ((data, folder + "/postgres/PG_VERSION"), (mark, folder + "/.unfinished")):
            if wanted:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                open(path, "w").close()
        self.forgot = False

        def forget(_):
            self.forgot = True
            return True

        script["control"], script["forget_beginning"] = lambda: told, forget
        annotations = {} if identity is None else {"initialize": identity}
        self.done = script["in_order"]({"metadata": {"annotations": annotations}}, waited)
        self.data, self.mark = os.path.exists(script["DATA"]), os.path.exists(script["UNFINISHED"])


class Start(unittest.TestCase):
    def kept(self, marked, **look):
        look = Look(data=True, **look)
        self.assertEqual((look.done, look.data, look.mark, look.forgot), (True, True, marked, False))

    def removed(self, forgot, **look):
        look = Look(data=True, mark=True, **look)
        self.assertEqual((look.done, look.data, look.mark, look.forgot), (True, False, True, forgot))

    def test_an_empty_volume_is_marked(self):
        for identity in (None, "", "7"):
            look = Look(identity)
            self.assertEqual((look.done, look.mark, look.forgot), (True, True, False))

    def test_who_was_cut_off_before_there_was_anything_lets_others_finish_first(self):
        self.assertFalse(Look("", mark=True, waited=59).done)
        late = Look("", mark=True, waited=60)
        self.assertEqual((late.done, late.forgot), (True, True))

    def test_what_has_no_mark_is_never_touched(self):
        for identity in (None, "", "7", "8"):
            for told in (None, control(), CLONE):
                self.kept(False, identity=identity, told=told)

    def test_a_database_that_was_cut_off_goes(self):
        for told in (None, control()):
            for pod in ("x-0", "x-1"):
                self.removed(True, identity="", told=told, pod=pod)
            self.removed(False, identity=None, told=told)

    def test_a_shop_made_again_waits_for_the_member_that_has_the_data(self):
        look = Look(None, data=True, mark=True, told=None, pod="x-1")
        self.assertEqual((look.done, look.data), (False, True))

    def test_a_clone_that_was_cut_off_goes_and_a_whole_one_stays(self):
        self.removed(False, identity="7", told=None, pod="x-1")
        self.kept(False, identity="7", mark=True, told=CLONE, pod="x-1")

    def test_whatever_may_hold_data_stays(self):
        grown, promoted = control(checkpoint="0/3000028"), control(checkpoint="0/2000080", timeline="2")
        for told in (CLONE, grown, promoted, control(checkpoint="1/0")):
            for identity in (None, "", "8"):
                for pod in ("x-0", "x-1"):
                    self.kept(True, identity=identity, mark=True, told=told, pod=pod)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
